/** Postgres reads these as they stand: no quotes, braces, commas, backslashes or spaces, and it is not the word for null. */
const plain = /^(?!null$)[\w:.+-]+$/i;

/**
 * A column of values as the parameter of an `unnest($1::text[])`, as Postgres writes its arrays. pg's own way adds to one
 * string for each value: a batch of thousands leaves chains of them to the garbage collection.
 */
export const arrayOf = (values: readonly (string | number | boolean | null)[]): string =>
  `{${values.map(elementOf).join(',')}}`;

function elementOf(value: string | number | boolean | null): string {
  if (value === null) return 'NULL';
  if (typeof value !== 'string') return String(value);
  return plain.test(value) ? value : `"${value.replaceAll(/[\\"]/g, '\\$&')}"`;
}
