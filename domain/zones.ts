import { DEGREE, EARTH_RADIUS_METERS } from './geo';
import { boundsOf, isInPolygon, metersToOutline, type Polygon } from './polygon';

/** An area of which drivers' entering and leaving is told: an airport, an event. */
export interface Zone {
  readonly zoneId: string;
  readonly ring: Polygon;
}

/**
 * Who was in a zone has left it when they are so many meters outside. A phone is off by 5 m under open sky (4.9 m, gps.gov),
 * by tens of them between towers: who stands at a rim would else enter and leave with each position.
 */
export const RIM_METERS = 50;

/** The zones at a place. Their ids are sorted. */
export interface ZonesAtPlace {
  /** Those in which it lies. */
  readonly zones: readonly string[];
  /** Those outside of which it lies, by no more than `RIM_METERS`. */
  readonly rims: readonly string[];
}

export interface Zones {
  /** The ids of the zones in which a place lies, sorted; its latitude and longitude in 1e-7 degrees. */
  at(lat: number, lng: number): readonly string[];
  /** Those outside of which it lies, by no more than `RIM_METERS`, sorted. */
  rimsAt(lat: number, lng: number): readonly string[];
}

/** The zones that a driver is in, sorted, who was in `before` and is at a place now: it takes both, and nothing else, to say. */
export const zonesAfter = (before: readonly string[], { zones, rims }: ZonesAtPlace): readonly string[] => {
  const kept = before.filter((zone) => rims.includes(zone));
  return kept.length === 0 ? zones : [...zones, ...kept].sort();
};

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
  const nearTo = (lat: number, lng: number): readonly Zone[] | undefined => {
    const row = Math.floor((lat + 90 * DEGREE) / unitsASquare);
    const column = Math.floor((lng + 180 * DEGREE) / unitsASquare) % columns;
    return bySquare.get(row * columns + column);
  };
  return {
    at(lat, lng) {
      const near = nearTo(lat, lng);
      if (near === undefined) return nowhere;
      const point = { lat: lat / DEGREE, lng: lng / DEGREE };
      const found = near.filter(({ ring }) => isInPolygon(ring, point));
      return found.length === 0 ? nowhere : found.map(({ zoneId }) => zoneId);
    },
    rimsAt(lat, lng) {
      const point = { lat: lat / DEGREE, lng: lng / DEGREE };
      const found = (nearTo(lat, lng) ?? []).filter(
        ({ ring }) => !isInPolygon(ring, point) && metersToOutline(ring, point) <= RIM_METERS,
      );
      return found.map(({ zoneId }) => zoneId);
    },
  };
}

/** Those that a ring touches, or its rim. */
function* squaresOf(ring: Polygon): Generator<number> {
  const { south, north, west, width } = boundsOf(ring);
  const rim = (RIM_METERS / EARTH_RADIUS_METERS) * (180 / Math.PI) + slack;
  const cosine = Math.cos((Math.max(Math.abs(south), Math.abs(north)) * Math.PI) / 180);
  const aside = Math.min(1, rim / Math.max(cosine, slack));
  const [low, high] = [squareOf(south + 90 - rim), squareOf(north + 90 + rim)];
  const [first, last] = [squareOf(west + 180 - aside), squareOf(west + 180 + width + aside)];
  for (let row = low; row <= high; row++)
    for (let column = first; column <= last; column++) yield row * columns + ((column + columns) % columns);
}

const squareOf = (degrees: number): number => Math.floor(degrees * squaresADegree);
