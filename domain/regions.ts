import { Cells } from './cells';
import type { Point } from './geo';

/**
 * So near to another region's rim a position is told there as well: whoever knows the drivers of a region hears of those
 * who leave it. Half a minute's drive at most; of small regions less, or half of a city would be told twice: who drives on
 * past a narrow rim unheard is known where they were until that is too old to be asked for.
 */
const rimOf = (regionMeters: number): number => Math.min(1_000, regionMeters / 10);

/** More columns than any row of regions has. */
const COLUMNS = 65_536;

/** A region: its row and column as one number. */
export type Region = number;

/** Regions by which positions are spread over partitions, and told who asks which of them. */
export interface Regions {
  /** Where a position is to be told: its own region, and those whose rim is near. */
  toldOf(point: Point): Region[];
  /** All that a circle touches: those of whoever may be found in it. */
  touching(centre: Point, radiusMeters: number): Region[];
}

/** The key of a region's records. */
export const keyOfRegion = (region: Region): string => `${Math.floor(region / COLUMNS)}-${region % COLUMNS}`;

/**
 * The sphere cut into regions of about `regionMeters` (at least 2,000) in height and width. All who write and read
 * positions must use the same: a smaller number splits what is too much for one partition.
 */
export function createRegions(regionMeters: number): Regions {
  const cells = new Cells(regionMeters);

  function touching(centre: Point, radiusMeters: number): Region[] {
    const found: Region[] = [];
    cells.eachIn(cells.boxOf(centre, radiusMeters), (row, column) => found.push(row * COLUMNS + column));
    return found;
  }

  return { touching, toldOf: (point) => touching(point, rimOf(regionMeters)) };
}
