import { EARTH_RADIUS_METERS, type Point } from './geo';

/** A ring of corners, the last joined to the first, less than 180 degrees of longitude wide: it holds no pole. */
export type Polygon = readonly Point[];

/** Degrees of longitude from one to the other, the short way: −180 to 180. */
const eastward = (from: number, to: number): number => {
  const degrees = to - from;
  return degrees > 180 ? degrees - 360 : degrees < -180 ? degrees + 360 : degrees;
};

/** What a ring touches: from `south` to `north`, and from `west` `width` degrees eastward. */
export function boundsOf(ring: Polygon): { south: number; north: number; west: number; width: number } {
  const first = ring[0]!;
  const lats = ring.map(({ lat }) => lat);
  const easts = ring.map(({ lng }) => eastward(first.lng, lng));
  const west = Math.min(...easts);
  return {
    south: Math.min(...lats),
    north: Math.max(...lats),
    west: eastward(0, first.lng + west),
    width: Math.max(...easts) - west,
  };
}

/**
 * Whether a point lies in a ring whose sides are straight on the map (in latitude and longitude), by the even-odd rule:
 * of two rings with a side in common a point on that side lies in one.
 */
export function isInPolygon(ring: Polygon, { lat, lng }: Point): boolean {
  let isIn = false;
  let from = ring[ring.length - 1]!;
  for (const to of ring) {
    if (from.lat > lat !== to.lat > lat) {
      const [low, high] = from.lat < to.lat ? [from, to] : [to, from];
      const part = (lat - low.lat) / (high.lat - low.lat);
      const crossing = eastward(lng, low.lng) + part * eastward(low.lng, high.lng);
      if (crossing > 0) isIn = !isIn;
    }
    from = to;
  }
  return isIn;
}

const metersADegree = (EARTH_RADIUS_METERS * Math.PI) / 180;

/** How far a point is from the nearest side of a ring, in meters: on the flat map around the point, right for what is near. */
export function metersToOutline(ring: Polygon, { lat, lng }: Point): number {
  const across = metersADegree * Math.cos((lat * Math.PI) / 180);
  let least = Infinity;
  let from = ring[ring.length - 1]!;
  for (const to of ring) {
    const [x, y] = [eastward(lng, from.lng) * across, (from.lat - lat) * metersADegree];
    const [dx, dy] = [eastward(from.lng, to.lng) * across, (to.lat - from.lat) * metersADegree];
    const length = dx * dx + dy * dy;
    const part = length === 0 ? 0 : Math.min(1, Math.max(0, -(x * dx + y * dy) / length));
    least = Math.min(least, Math.hypot(x + part * dx, y + part * dy));
    from = to;
  }
  return least;
}
