import type { Point } from '../../domain/geo';
import type { Box, Cells } from './cells';

/** Columns of one row, counted on past the antimeridian: `low` may be negative, `high` beyond the last. */
interface Span {
  readonly low: number;
  readonly high: number;
}

/** The cells a growing search has looked at: each is visited once. */
export class SeenCells {
  private readonly spans = new Map<number, Span>();

  constructor(
    private readonly cells: Cells,
    private readonly centre: Point,
  ) {}

  /** Whether a circle touches more than `limit` cells. */
  touchesMoreThan(limit: number, radiusMeters: number): boolean {
    const box = this.cells.boxOf(this.centre, radiusMeters);
    let touched = 0;
    for (let row = box.rowLow; row <= box.rowHigh && touched <= limit; row++) {
      const { low, high } = this.spanOf(row, box);
      touched += high - low + 1;
    }
    return touched > limit;
  }

  /** Visits every cell that a circle touches and that was not visited before. */
  widenTo(radiusMeters: number, visit: (row: number, column: number) => void): void {
    const box = this.cells.boxOf(this.centre, radiusMeters);
    for (let row = box.rowLow; row <= box.rowHigh; row++) {
      const span = this.spanOf(row, box);
      const seen = this.spans.get(row);
      const west = seen ? Math.min(span.low, seen.low) : span.low;
      const east = seen ? Math.max(span.high, seen.high) : span.high;
      if (seen === undefined) {
        for (let column = west; column <= east; column++) visit(row, this.cells.wrap(row, column));
        this.spans.set(row, span);
        continue;
      }
      // Both sides meet at the far end of a row that is taken whole; nothing there is visited twice.
      let unseen = this.cells.columnsOf(row) - (seen.high - seen.low + 1);
      let high = seen.high;
      let low = seen.low;
      while (high < east && unseen-- > 0) visit(row, this.cells.wrap(row, ++high));
      while (low > west && unseen-- > 0) visit(row, this.cells.wrap(row, --low));
      this.spans.set(row, { low, high });
    }
  }

  private spanOf(row: number, box: Box): Span {
    const columns = this.cells.columnsOf(row);
    const middle = ((this.centre.lng + 180) / 360) * columns;
    const half = (box.lngRadians / (2 * Math.PI)) * columns;
    const low = Math.floor(middle - half);
    const high = Math.floor(middle + half);
    return high - low + 1 >= columns ? { low, high: low + columns - 1 } : { low, high };
  }
}
