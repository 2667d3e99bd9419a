import { cellToParent } from 'h3-js';

/** H3 cells of this resolution, of about 10 km edge, are the regions by which hours are summed up: a borough or so. */
const HOURS_REGION_RESOLUTION = 5;

/** Where nobody said where it was. */
export const NO_REGION = '';

/** A city has a few thousand cells: what is known of more is found out again. */
const MOST_KNOWN = 100_000;
const known = new Map<string, string>();

/** The region that a cell is in. */
export function regionOf(cell: string | null | undefined): string {
  if (!cell) return NO_REGION;
  const region = known.get(cell);
  if (region !== undefined) return region;
  if (known.size >= MOST_KNOWN) known.clear();
  const parent = cellToParent(cell, HOURS_REGION_RESOLUTION);
  known.set(cell, parent);
  return parent;
}
