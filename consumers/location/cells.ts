import type { Point } from '../../domain/geo';

/** The earth's mean radius (IUGG), in meters; the same that domain/geo.ts measures with. */
export const EARTH_RADIUS_METERS = 6_371_008.8;

const toRadians = Math.PI / 180;

/** Covers what two roundings of the same angle may differ by, so that a box never misses its rim. */
const slackMeters = 0.01;

/** What a circle touches: rows from `rowLow` to `rowHigh`, and east and west of its centre `lngRadians`. */
export interface Box {
  readonly rowLow: number;
  readonly rowHigh: number;
  /** Half the width in longitude; π when the circle holds a pole. */
  readonly lngRadians: number;
}

/**
 * The sphere cut into rows of equal height and each row into columns of about the same width, so that cells
 * are near to square at every latitude. Columns go round: those on both sides of the antimeridian are
 * neighbours, and at a pole a row is a few cells.
 */
export class Cells {
  readonly rows: number;
  private readonly columnsByRow: Int32Array;
  private readonly rowRadians: number;

  /** @param cellMeters height of a row; a column is at least as wide (except where a row is one cell). */
  constructor(readonly cellMeters: number) {
    this.rows = Math.max(2, Math.floor((Math.PI * EARTH_RADIUS_METERS) / cellMeters));
    this.rowRadians = Math.PI / this.rows;
    this.columnsByRow = new Int32Array(this.rows);
  }

  /** How many columns a row has: as many as fit where it is narrowest, towards its pole. */
  columnsOf(row: number): number {
    const known = this.columnsByRow[row]!;
    if (known !== 0) return known;
    const south = -Math.PI / 2 + row * this.rowRadians;
    const narrow = Math.max(0, Math.min(Math.cos(south), Math.cos(south + this.rowRadians)));
    const columns = Math.max(1, Math.floor((2 * Math.PI * EARTH_RADIUS_METERS * narrow) / this.cellMeters));
    this.columnsByRow[row] = columns;
    return columns;
  }

  /** The row of a latitude in degrees. */
  rowOf(lat: number): number {
    return this.rowAt(lat * toRadians);
  }

  /** The column of a longitude in degrees within a row. −180 and 180 are the same. */
  columnOf(row: number, lng: number): number {
    const columns = this.columnsOf(row);
    return this.wrap(row, Math.floor(((lng + 180) / 360) * columns));
  }

  /** A column that may have been counted past the antimeridian, brought back. */
  wrap(row: number, column: number): number {
    const columns = this.columnsOf(row);
    return ((column % columns) + columns) % columns;
  }

  /**
   * Rows and longitudes that hold every point within `radiusMeters` of `centre`. The widest longitude of a
   * circle of angle δ at latitude φ is asin(sin δ / cos φ); if it reaches a pole it is all of them
   * (Bronshtein et al., Handbook of Mathematics, spherical trigonometry).
   */
  boxOf(centre: Point, radiusMeters: number): Box {
    const angle = (radiusMeters + slackMeters) / EARTH_RADIUS_METERS;
    const lat = centre.lat * toRadians;
    const south = lat - angle;
    const north = lat + angle;
    const holdsPole = south <= -Math.PI / 2 || north >= Math.PI / 2;
    return {
      rowLow: this.rowAt(south),
      rowHigh: this.rowAt(north),
      lngRadians: holdsPole ? Math.PI : Math.asin(Math.min(1, Math.sin(angle) / Math.cos(lat))),
    };
  }

  private rowAt(latRadians: number): number {
    const row = Math.floor((latRadians + Math.PI / 2) / this.rowRadians);
    return Math.min(this.rows - 1, Math.max(0, row));
  }
}
