import { DEGREE, EARTH_RADIUS_METERS, type Point } from './geo';

const toRadians = Math.PI / 180;
const halfTurn = 180 * DEGREE;
const wholeTurn = 360 * DEGREE;

/** Covers what two roundings of the same angle may differ by, so that a box never misses its rim. */
const slackMeters = 0.01;
const slackRadians = slackMeters / EARTH_RADIUS_METERS;
/** More than an angle's rounding changes its cosine. */
const cosineSlack = 1e-12;
/** Rows in a band of about this height have the same number of columns. */
const bandMeters = 3_000;

/** What a circle or a part of the map touches: rows from `rowLow` to `rowHigh`, and east and west of its centre `lngRadians`. */
export interface Box {
  readonly rowLow: number;
  readonly rowHigh: number;
  /** Where the centre is between −180 (0) and 180 degrees (1); beyond 1 where a part of the map goes on past these. */
  readonly turn: number;
  /** Half the width in longitude, π at most: for a circle that holds a pole, and all around. */
  readonly lngRadians: number;
}

/**
 * The sphere cut into rows of equal height and each row into columns of about the same width, so that cells
 * are near to square at every latitude. Columns go round: those on both sides of the antimeridian are
 * neighbours, and at a pole a row is one cell. Places are in 1e-7 degrees.
 */
export class Cells {
  readonly rows: number;
  private readonly rowsPerUnit: number;
  private readonly rowRadians: number;
  private readonly bandShift: number;
  private readonly columnsByBand: Int32Array;

  /** @param cellMeters height of a row; a column is at least as wide (except where a row is one cell). */
  constructor(readonly cellMeters: number) {
    this.rows = Math.max(2, Math.floor((Math.PI * EARTH_RADIUS_METERS) / cellMeters));
    this.rowRadians = Math.PI / this.rows;
    this.rowsPerUnit = this.rows / halfTurn;
    this.bandShift = Math.max(0, Math.round(Math.log2(bandMeters / cellMeters)));
    this.columnsByBand = new Int32Array((this.rows >> this.bandShift) + 1);
  }

  get bytes(): number {
    return this.columnsByBand.byteLength;
  }

  /** How many columns a row has: as many as fit where its band is narrowest, towards its pole. */
  columnsOf(row: number): number {
    return this.columnsByBand[row >> this.bandShift]! || this.measureBand(row >> this.bandShift);
  }

  /** At most the cosine of any latitude in the rows of a box. */
  leastCosineIn({ rowLow, rowHigh }: Box): number {
    const south = Math.cos(-Math.PI / 2 + rowLow * this.rowRadians);
    const north = Math.cos(-Math.PI / 2 + (rowHigh + 1) * this.rowRadians);
    return Math.max(0, Math.min(south, north) - cosineSlack);
  }

  private measureBand(band: number): number {
    const south = -Math.PI / 2 + (band << this.bandShift) * this.rowRadians;
    const north = south + (1 << this.bandShift) * this.rowRadians;
    const narrow = Math.max(0, Math.min(Math.cos(south), north < Math.PI / 2 ? Math.cos(north) : 0));
    const columns = Math.max(1, Math.floor((2 * Math.PI * EARTH_RADIUS_METERS * narrow) / this.cellMeters));
    this.columnsByBand[band] = columns;
    return columns;
  }

  /** The row of a latitude. */
  rowOf(lat: number): number {
    const row = Math.floor((lat + halfTurn / 2) * this.rowsPerUnit);
    return row >= this.rows ? this.rows - 1 : row;
  }

  /** The column of a longitude within a row. −180 and 180 degrees are the same. */
  columnOf(row: number, lng: number): number {
    const columns = this.columnsOf(row);
    const column = Math.floor(((lng + halfTurn) / wholeTurn) * columns);
    return column >= columns ? column - columns : column;
  }

  /**
   * Rows and longitudes that hold every point within `radiusMeters` of `centre` (in degrees). The widest longitude of a
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
      turn: (centre.lng + 180) / 360,
      lngRadians: holdsPole ? Math.PI : Math.asin(Math.min(1, Math.sin(angle) / Math.cos(lat))),
    };
  }

  /** Rows and longitudes that hold every point from a south-western corner to a northern latitude and `widthDegrees` eastward. */
  boxFrom(corner: Point, north: number, widthDegrees: number): Box {
    return {
      rowLow: this.rowAt(corner.lat * toRadians - slackRadians),
      rowHigh: this.rowAt(north * toRadians + slackRadians),
      turn: (corner.lng + widthDegrees / 2 + 180) / 360,
      lngRadians: Math.min(Math.PI, (widthDegrees / 2) * toRadians + slackRadians),
    };
  }

  /** Calls `visit` with each cell of a box, once. */
  eachIn(box: Box, visit: (row: number, column: number) => void): void {
    for (let row = box.rowLow; row <= box.rowHigh; row++) {
      const columns = this.columnsOf(row);
      const west = westOf(box, columns);
      const wide = wideOf(box, columns);
      for (let n = 0; n < wide; n++) visit(row, wrapped(west + n, columns));
    }
  }

  /** How many cells a box has; of more than `most` so many that it is more. */
  countIn(box: Box, most: number): number {
    let count = 0;
    for (let row = box.rowLow; row <= box.rowHigh && count <= most; row++)
      count += wideOf(box, this.columnsOf(row));
    return count;
  }

  private rowAt(latRadians: number): number {
    const row = Math.floor((latRadians + Math.PI / 2) / this.rowRadians);
    return Math.min(this.rows - 1, Math.max(0, row));
  }
}

/** The westernmost column that a box touches, counted on past the antimeridian; and how many it touches from there. */
const westOf = ({ turn, lngRadians }: Box, columns: number): number =>
  Math.floor((turn - lngRadians / (2 * Math.PI)) * columns);
const wideOf = (box: Box, columns: number): number => {
  const east = Math.floor((box.turn + box.lngRadians / (2 * Math.PI)) * columns);
  return Math.min(columns, east - westOf(box, columns) + 1);
};

const wrapped = (column: number, columns: number): number =>
  column >= 0 && column < columns ? column : ((column % columns) + columns) % columns;
