import { readFileSync } from 'node:fs';
import { feature } from 'topojson-client';
import { area } from '../../services/console/map/area';

type Place = readonly [lng: number, lat: number];
type Ring = readonly Place[];

/** The five counties that New York City consists of, by the Census Bureau's numbers. */
const boroughs: Readonly<Record<string, string>> = {
  '36005': 'The Bronx',
  '36047': 'Brooklyn',
  '36061': 'Manhattan',
  '36081': 'Queens',
  '36085': 'Staten Island',
};

/** A step of 1e-5 degrees is about a meter. */
const rounded = (degrees: number): number => Math.round(degrees * 1e5) / 1e5;

/**
 * data/new-york.geojson: the land on the console's map, a feature a county, cut to its area. From us-atlas, which is
 * the US Census Bureau's cartographic boundary files of 2017, simplified.
 */
export function outline(): string {
  const file = require.resolve('us-atlas/counties-10m.json');
  const atlas = JSON.parse(readFileSync(file, 'utf8')) as Parameters<typeof feature>[0];
  const counties = feature(atlas, atlas.objects['counties']!);
  if (counties.type !== 'FeatureCollection') throw new Error(`${file} has no collection of counties`);
  const features = counties.features.flatMap(({ id, geometry }) => {
    const parts =
      geometry.type === 'Polygon'
        ? [geometry.coordinates]
        : geometry.type === 'MultiPolygon'
          ? geometry.coordinates
          : [];
    const coordinates = parts
      .map(([outer]) => cut(outer as unknown as Ring))
      .filter((ring) => ring.length > 2)
      .map((ring) => [[...ring, ring[0]!].map(([lng, lat]) => [rounded(lng), rounded(lat)])]);
    if (coordinates.length === 0) return [];
    const name = boroughs[String(id)];
    const properties = { county: String(id), borough: name !== undefined, ...(name ? { name } : {}) };
    return [{ type: 'Feature', properties, geometry: { type: 'MultiPolygon', coordinates } }];
  });
  return `${JSON.stringify({ type: 'FeatureCollection', features })}\n`;
}

/** What of a ring lies in the map's area, by Sutherland and Hodgman: one rim after another. */
function cut(ring: Ring): Ring {
  const rims: [axis: 0 | 1, at: number, side: 1 | -1][] = [
    [0, area.west, 1],
    [0, area.east, -1],
    [1, area.south, 1],
    [1, area.north, -1],
  ];
  return rims.reduce<Ring>((left, [axis, at, side]) => cutAt(left, axis, at, side), ring.slice(0, -1));
}

function cutAt(ring: Ring, axis: 0 | 1, at: number, side: 1 | -1): Ring {
  const isIn = (place: Place): boolean => (place[axis] - at) * side >= 0;
  return ring.flatMap((to, i) => {
    const from = ring.at(i - 1)!;
    if (isIn(from) === isIn(to)) return isIn(to) ? [to] : [];
    const share = (at - from[axis]) / (to[axis] - from[axis]);
    const crossing: Place = [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
    return isIn(to) ? [crossing, to] : [crossing];
  });
}
