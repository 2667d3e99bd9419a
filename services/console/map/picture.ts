import { cellToBoundary } from 'h3-js';
import type { DemandView, SurgeView } from '../../../contracts/api/analytics';
import type { RidesInFlight } from '../../../contracts/api/ops';
import { driverIdOfKey, isKeyElsewhere } from '../../../contracts/driverKey';
import { HEADER_WORDS, ROW_WORDS, row, Takes, type PositionRows } from '../../../contracts/positionRecord';
import { DEGREE } from '../../../domain/geo';
import { gridOf, isOnMap } from './area';
import type { FleetBoard, SeenDriver } from './fleetBoard';

/** Of more cells, those with the most demand. */
const MAX_CELLS = 600;

/** A cell of the map: what was asked for and what of it found nobody, the surge, and its corners, x and y in turn. */
export interface MapCell {
  readonly cell: string;
  readonly requested: number;
  readonly noDriver: number;
  readonly surge: number;
  readonly ring: readonly number[];
}

/** Cells with demand or surge, on the map. */
export function cellsOf(
  demand: Pick<DemandView, 'cells'>,
  surges: SurgeView,
  ringOf: (cell: string) => readonly number[] | null,
): MapCell[] {
  const byCell = new Map<string, { requested: number; noDriver: number; surge: number }>();
  const at = (cell: string) => {
    const known = byCell.get(cell) ?? { requested: 0, noDriver: 0, surge: 1 };
    byCell.set(cell, known);
    return known;
  };
  for (const { cell, requested, noDriver } of demand.cells)
    if (requested > 0 || noDriver > 0) Object.assign(at(cell), { requested, noDriver });
  for (const { cell, multiplier } of surges.surges) at(cell).surge = multiplier;
  return [...byCell]
    .flatMap(([cell, counts]) => {
      const ring = ringOf(cell);
      return ring === null ? [] : [{ cell, ...counts, ring }];
    })
    .sort((a, b) => b.requested - a.requested || (a.cell < b.cell ? -1 : 1))
    .slice(0, MAX_CELLS);
}

/** The corners of a cell on the map; null for one that is elsewhere. */
export function ringOf(cell: string): number[] | null {
  const corners = cellToBoundary(cell).map(([lat, lng]) => ({ lat, lng }));
  return corners.every(isOnMap) ? corners.flatMap(gridOf) : null;
}

/** A ride on the map: `driver` is the slot of its driver's mark, −1 where there is none. */
export interface MapRide {
  readonly rideId: string;
  readonly status: string;
  readonly requestedAt: string;
  readonly driver: number;
  /** From where it begins to where it ends, x and y in turn; of a ride under way only what is ahead. */
  readonly way: readonly number[];
}

/** Rides in flight whose pickup is on the map. */
export const mapRides = ({ rides }: RidesInFlight, board: Pick<FleetBoard, 'slotOf'>): MapRide[] =>
  rides
    .filter(({ pickup }) => isOnMap(pickup))
    .map(({ rideId, status, requestedAt, driverId, pickup, stops, dropoff }) => ({
      ...{ rideId, status, requestedAt },
      driver: (driverId === null ? undefined : board.slotOf(driverId)) ?? -1,
      way: [...(status === 'in_progress' ? [] : [pickup]), ...stops, dropoff].flatMap(gridOf),
    }));

const isFreeBits = Takes.available | Takes.free;

/**
 * The drivers of a position record. Who is on a ride is not free: location says it of all, and who is on one of these
 * rides (`onRide`) may have got it since.
 */
export function* driversIn(
  { words, count, longIds }: PositionRows,
  onRide: ReadonlySet<string>,
): Generator<SeenDriver> {
  let elsewhere = 0;
  for (let i = 0, at = HEADER_WORDS; i < count; i++, at += ROW_WORDS) {
    const driverId = isKeyElsewhere(words, at) ? longIds[elsewhere++]! : driverIdOfKey(words, at);
    const [x, y] = gridOf({ lat: words[at + row.lat]! / DEGREE, lng: words[at + row.lng]! / DEGREE });
    const takes = words[at + row.sequenceHighAndTakes]! >>> 24;
    yield { driverId, x, y, isFree: (takes & isFreeBits) === isFreeBits && !onRide.has(driverId) };
  }
}
