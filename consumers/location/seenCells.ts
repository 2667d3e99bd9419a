import type { Box, Cells } from '../../domain/cells';
import type { Point } from '../../domain/geo';

/** The cells a growing search has looked at: each is visited once. */
export class SeenCells {
  /** By row from `firstRow` on: the columns that were seen, counted on past the antimeridian. */
  private lows: number[] = [];
  private highs: number[] = [];
  private firstRow = 0;
  private readonly turn: number;

  constructor(
    private readonly cells: Cells,
    private readonly centre: Point,
  ) {
    this.turn = (centre.lng + 180) / 360;
  }

  /** Whether a circle touches more than `limit` cells. */
  touchesMoreThan(limit: number, radiusMeters: number): boolean {
    const box = this.cells.boxOf(this.centre, radiusMeters);
    let touched = 0;
    for (let row = box.rowLow; row <= box.rowHigh && touched <= limit; row++) {
      const columns = this.cells.columnsOf(row);
      touched += Math.min(columns, this.highOf(columns, box) - this.lowOf(columns, box) + 1);
    }
    return touched > limit;
  }

  /** Visits every cell that a circle touches and that was not visited before. Radii only grow. */
  widenTo(radiusMeters: number, visit: (row: number, column: number) => void): void {
    const { cells } = this;
    const box = cells.boxOf(this.centre, radiusMeters);
    const { lows, highs, firstRow } = this;
    this.lows = [];
    this.highs = [];
    this.firstRow = box.rowLow;
    for (let row = box.rowLow; row <= box.rowHigh; row++) {
      const columns = cells.columnsOf(row);
      let low = this.lowOf(columns, box);
      let high = this.highOf(columns, box);
      if (high - low + 1 >= columns) high = low + columns - 1;
      const seenLow = lows[row - firstRow];
      if (seenLow === undefined)
        for (let column = low; column <= high; column++) visit(row, wrap(column, columns));
      else {
        // Both sides meet at the far end of a row that is taken whole; nothing there is visited twice.
        const seenHigh = highs[row - firstRow]!;
        let unseen = columns - (seenHigh - seenLow + 1);
        const [west, east] = [low, high];
        low = seenLow;
        high = seenHigh;
        while (high < east && unseen-- > 0) visit(row, wrap(++high, columns));
        while (low > west && unseen-- > 0) visit(row, wrap(--low, columns));
      }
      this.lows.push(low);
      this.highs.push(high);
    }
  }

  private lowOf(columns: number, { lngRadians }: Box): number {
    return Math.floor((this.turn - lngRadians / (2 * Math.PI)) * columns);
  }

  private highOf(columns: number, { lngRadians }: Box): number {
    return Math.floor((this.turn + lngRadians / (2 * Math.PI)) * columns);
  }
}

const wrap = (column: number, columns: number): number =>
  column >= 0 && column < columns ? column : ((column % columns) + columns) % columns;
