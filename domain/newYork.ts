import type { Point } from './geo';

/** An area by its corners, [lat, lng], one after another. In a city an outline of straight lines is flat enough. */
type Outline = readonly (readonly [lat: number, lng: number])[];

/** The Hudson's middle from the Upper Bay to the city's northern limit: the border of the states. */
const hudson: Outline = [
  [40.656, -74.06],
  [40.69, -74.038],
  [40.71, -74.025],
  [40.74, -74.019],
  [40.77, -74.003],
  [40.801, -73.985],
];

/** West of Staten Island, from its southern end to the north: the border of the states, too. */
const arthurKill: Outline = [
  [40.485, -74.256],
  [40.5, -74.26],
  [40.525, -74.248],
  [40.556, -74.22],
  [40.575, -74.211],
  [40.6, -74.204],
  [40.6355, -74.1965],
];

/**
 * The three areas that charges are about, drawn along the middle of the water. On land the lines run along 96th Street
 * and the limits of the city, some 200 m off at worst.
 */
const outlines = {
  /** The borough of Manhattan south of 96th Street, Roosevelt Island and Governors Island with it. */
  manhattanSouthOf96th: [
    ...hudson.slice(2),
    [40.7965, -73.9755],
    [40.7832, -73.9432],
    [40.7735, -73.9385],
    [40.76, -73.9485],
    [40.749, -73.96],
    [40.742, -73.966],
    [40.729, -73.967],
    [40.72, -73.969],
    [40.7075, -73.979],
    [40.7057, -73.9965],
    [40.7, -74.005],
    [40.684, -74.012],
    [40.684, -74.026],
  ],
  statenIsland: [
    [40.644, -74.201],
    [40.6425, -74.1422],
    [40.648, -74.1],
    [40.656, -74.06],
    [40.6066, -74.0447],
    [40.56, -74.05],
    [40.49, -74.15],
    ...arthurKill,
  ],
  /** All five boroughs. */
  city: [
    ...arthurKill,
    [40.644, -74.201],
    [40.6425, -74.1422],
    [40.648, -74.1],
    ...hudson,
    [40.8517, -73.9527],
    [40.915, -73.918],
    [40.9005, -73.855],
    [40.888, -73.825],
    [40.879, -73.77],
    [40.83, -73.76],
    [40.77, -73.753],
    [40.739, -73.701],
    [40.724, -73.728],
    [40.69, -73.726],
    [40.638, -73.742],
    [40.609, -73.738],
    [40.58, -73.738],
    [40.54, -73.94],
    [40.56, -74.05],
    [40.49, -74.15],
  ],
} as const satisfies Record<string, Outline>;

export type Area = keyof typeof outlines;

/**
 * Whether a point lies in one of New York's areas: a line from it to the east crosses the outline an odd number of
 * times.
 */
export function isIn(area: Area, { lat, lng }: Point): boolean {
  const outline: Outline = outlines[area];
  return outline.reduce((inside, [lat1, lng1], i) => {
    const [lat2, lng2] = outline[(i + 1) % outline.length]!;
    if (lat1 > lat === lat2 > lat) return inside;
    const crossing = lng1 + ((lat - lat1) / (lat2 - lat1)) * (lng2 - lng1);
    return crossing > lng ? !inside : inside;
  }, false);
}

/**
 * Whether latitude and longitude were taken for each other: the other way round they are a place in the city. Nobody drives
 * where they are as they stand, off Antarctica.
 */
export const isSwapped = ({ lat, lng }: Point): boolean => lat < 0 && isIn('city', { lat: lng, lng: lat });
