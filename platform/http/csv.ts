/** A row of an answer; what is inside of a field's object becomes columns of its own: `waitSeconds.p50`. */
export type CsvRow = Readonly<Record<string, unknown>>;

/**
 * Rows as CSV (RFC 4180) with a line of names; nothing of no rows. A row without a column has it empty, as where it is null. What a
 * spreadsheet would take for a formula is made a text.
 */
export function csvOf(rows: readonly CsvRow[]): string {
  if (rows.length === 0) return '';
  const flat = rows.map((row) => new Map(flattened(row, '')));
  const names = [...new Set(flat.flatMap((row) => [...row.keys()]))];
  const lines = flat.map((row) => names.map((name) => row.get(name) ?? ''));
  return [names, ...lines].map((line) => `${line.map(quoted).join(',')}\r\n`).join('');
}

function flattened(row: CsvRow, prefix: string): [name: string, text: string][] {
  return Object.entries(row).flatMap(([name, value]): [string, string][] => {
    if (value === null || value === undefined) return [];
    if (typeof value === 'object') return flattened(value as CsvRow, `${prefix}${name}.`);
    if (typeof value !== 'string') return [[prefix + name, JSON.stringify(value)]];
    return [[prefix + name, /^[=+\-@\t\r]/.test(value) ? `'${value}` : value]];
  });
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
