/** A point in WGS 84 degrees. */
export interface Point {
  readonly lat: number;
  readonly lng: number;
}

/** H3 cells of this resolution, of about 460 m edge, are where things are counted: a few blocks. */
export const CELL_RESOLUTION = 8;

/** Units of a degree where places are whole numbers: 11 mm on the ground, at most. */
export const DEGREE = 1e7;

/** H3 cells of this resolution are regions: some 100 km across, about a metropolitan area. */
export const REGION_RESOLUTION = 3;

/** The earth's mean radius (IUGG), in meters. */
export const EARTH_RADIUS_METERS = 6_371_008.8;

const toRadians = Math.PI / 180;

/** Great-circle distance in meters (haversine formula). */
export const distanceMeters = (a: Point, b: Point): number => distancesFrom(a)(b);

/** The great-circle distances of a point to others, in meters. */
export function distancesFrom({ lat, lng }: Point): (to: Point) => number {
  const cosine = Math.cos(lat * toRadians);
  return (to) => {
    const dLat = (to.lat - lat) * toRadians;
    const dLng = (to.lng - lng) * toRadians;
    const h = Math.sin(dLat / 2) ** 2 + cosine * Math.cos(to.lat * toRadians) * Math.sin(dLng / 2) ** 2;
    return 2 * EARTH_RADIUS_METERS * Math.asin(Math.min(1, Math.sqrt(h)));
  };
}
