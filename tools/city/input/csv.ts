import { readFile } from 'node:fs/promises';

/** A file of input that cannot be used. The message is one line: file, line, what was found, what was expected. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** One line of a CSV file; `get` throws where the column is empty or wrong. */
export interface CsvRow {
  readonly line: number;
  /** The column's text, read by `read`; undefined from `read` means it is not what is `expected`. */
  get<T>(column: string, expected: string, read: (text: string) => T | undefined): T;
}

/**
 * The rows of a CSV file with a header, in the file's order. Columns that nobody asks for may hold anything.
 * @throws InputError when it cannot be read, has no header with `columns`, or has no rows
 */
export async function readCsv(file: string, columns: readonly string[]): Promise<CsvRow[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new InputError(`${file}: cannot be read (${error.code ?? error.message}); expected a CSV file`);
  });
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const header = splitLine(lines[0] ?? '');
  for (const column of columns) {
    if (!header.includes(column)) {
      const found = lines[0] === undefined || lines[0].trim() === '' ? 'nothing' : shown(lines[0]);
      throw new InputError(`${file}, line 1: found ${found}, expected a header with ${columns.join(', ')}`);
    }
  }
  const rows = lines
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line, number }) => number > 1 && line.trim() !== '')
    .map(({ line, number }) => rowOf(file, number, header, splitLine(line)));
  if (rows.length === 0) throw new InputError(`${file}, line 2: found nothing, expected at least one row`);
  return rows;
}

function rowOf(file: string, line: number, header: readonly string[], cells: readonly string[]): CsvRow {
  if (cells.length !== header.length) {
    throw new InputError(
      `${file}, line ${line}: found ${cells.length} columns, expected ${header.length} (${header.join(',')})`,
    );
  }
  return {
    line,
    get(column, expected, read) {
      const text = cells[header.indexOf(column)] ?? '';
      const value = read(text);
      if (value === undefined) {
        const found = text === '' ? 'nothing' : shown(text);
        throw new InputError(`${file}, line ${line}, ${column}: found ${found}, expected ${expected}`);
      }
      return value;
    },
  };
}

/** Cells by comma; a cell in double quotes may hold commas and doubled quotes. */
function splitLine(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const cells = line.match(/("([^"]|"")*"|[^,]*)(,|$)/g) ?? [];
  if (!line.endsWith(',')) cells.pop();
  return cells.map((cell) =>
    cell
      .replace(/,$/, '')
      .replace(/^"(.*)"$/s, '$1')
      .replaceAll('""', '"'),
  );
}

const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** A number within bounds, or undefined. */
export const numberBetween =
  (low: number, high: number) =>
  (text: string): number | undefined => {
    const value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    return value >= low && value <= high ? value : undefined;
  };

/** `2014-04-02T07:00:00` (a space instead of the T will do), as milliseconds since 1970 in local time. */
export function localTime(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?$/.exec(text);
  if (!match) return undefined;
  const iso = `${match[1]}T${match[2]}${match[3] ?? ':00'}.000Z`;
  const time = Date.parse(iso);
  // Date.parse takes the 31st of April for the 1st of May.
  return Number.isNaN(time) || new Date(time).toISOString() !== iso ? undefined : time;
}

export const localTimeExpected = 'a local time like 2014-04-02T07:00:00';
