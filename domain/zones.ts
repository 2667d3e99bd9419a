import { DEGREE } from './geo';
import { boundsOf, isInPolygon, type Polygon } from './polygon';

/** An area of which drivers' entering and leaving is told: an airport, an event. */
export interface Zone {
  readonly zoneId: string;
  readonly ring: Polygon;
}

export interface Zones {
  /** The ids of the zones in which a place lies, sorted; its latitude and longitude in 1e-7 degrees. */
  at(lat: number, lng: number): readonly string[];
}

/** Squares of a twentieth of a degree: some five kilometers, about as large as an airport. */
const squaresADegree = 20;
const unitsASquare = DEGREE / squaresADegree;
const columns = 360 * squaresADegree;
/** More than what floating point may put a corner off by, in degrees. */
const slack = 1e-9;
const nowhere: readonly string[] = [];

/**
 * Finds zones by the squares that they touch: a place far from all of them costs one look into a table, and only one
 * near some is held against their outlines.
 */
export function createZones(zones: readonly Zone[]): Zones {
  const bySquare = new Map<number, Zone[]>();
  for (const zone of [...zones].sort((a, b) => (a.zoneId < b.zoneId ? -1 : 1)))
    for (const square of squaresOf(zone.ring)) bySquare.set(square, [...(bySquare.get(square) ?? []), zone]);
  return {
    at(lat, lng) {
      const row = Math.floor((lat + 90 * DEGREE) / unitsASquare);
      const column = Math.floor((lng + 180 * DEGREE) / unitsASquare) % columns;
      const near = bySquare.get(row * columns + column);
      if (near === undefined) return nowhere;
      const point = { lat: lat / DEGREE, lng: lng / DEGREE };
      const found = near.filter(({ ring }) => isInPolygon(ring, point));
      return found.length === 0 ? nowhere : found.map(({ zoneId }) => zoneId);
    },
  };
}

function* squaresOf(ring: Polygon): Generator<number> {
  const { south, north, west, width } = boundsOf(ring);
  const [low, high] = [squareOf(south + 90 - slack), squareOf(north + 90 + slack)];
  const [first, last] = [squareOf(west + 180 - slack), squareOf(west + 180 + width + slack)];
  for (let row = low; row <= high; row++)
    for (let column = first; column <= last; column++) yield row * columns + ((column + columns) % columns);
}

const squareOf = (degrees: number): number => Math.floor(degrees * squaresADegree);
