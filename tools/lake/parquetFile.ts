import { renameSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileWriter, ParquetWriter, schemaFromColumnData, type ColumnSource } from 'hyparquet-writer';

type ColumnType = 'STRING' | 'JSON' | 'INT32' | 'INT64' | 'DOUBLE' | 'TIMESTAMP';

/** A column: how it is called, what it holds (`TIMESTAMP` in milliseconds), and where a row has it. */
export interface Column<Row> {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable?: boolean;
  readonly of: (row: Row) => unknown;
}

/** Rows in memory at most, which become one row group. */
const ROWS_PER_GROUP = 50_000;

/**
 * A Parquet file (Snappy) that is written row group by row group, and has its name only when it is whole: who reads the
 * folder never meets half a file, and an export that is repeated replaces it.
 */
export class ParquetFile<Row> {
  rows = 0;
  private waiting: Row[] = [];
  private constructor(
    private readonly path: string,
    private readonly columns: readonly Column<Row>[],
    private readonly writer: ParquetWriter,
  ) {}

  static async create<Row>(path: string, columns: readonly Column<Row>[]): Promise<ParquetFile<Row>> {
    await mkdir(dirname(path), { recursive: true });
    const schema = schemaFromColumnData({ columnData: columns.map((column) => sourceOf(column, [])) });
    return new ParquetFile(path, columns, new ParquetWriter({ writer: fileWriter(partOf(path)), schema }));
  }

  async add(rows: readonly Row[]): Promise<void> {
    this.waiting.push(...rows);
    if (this.waiting.length >= ROWS_PER_GROUP) await this.flush();
  }

  /** The file has its name from now on. */
  async finish(): Promise<void> {
    if (this.waiting.length > 0) await this.flush();
    await this.writer.finish();
    renameSync(partOf(this.path), this.path);
  }

  /** Nothing is left of it. */
  drop(): void {
    rmSync(partOf(this.path), { force: true });
  }

  private async flush(): Promise<void> {
    const rows = this.waiting;
    this.waiting = [];
    this.rows += rows.length;
    await this.writer.write({ columnData: this.columns.map((column) => sourceOf(column, rows)) });
  }
}

const partOf = (path: string): string => `${path}.part`;

const sourceOf = <Row>(
  { name, type, nullable = false, of }: Column<Row>,
  rows: readonly Row[],
): ColumnSource => ({
  ...{ name, type, nullable },
  data: rows.map<unknown>(of),
});
