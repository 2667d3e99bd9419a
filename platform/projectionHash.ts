import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { withTransaction, type Tx } from './postgres';
import type { ProjectionTable } from './projection';

/**
 * The hash of what facts have made of a projection's tables: the same rows give the same hash, in whichever order they
 * were written, and columns that are not of facts do not count. Memory does not grow with the tables.
 * @returns hexadecimal
 */
export const projectionHash = (pool: Pool, tables: readonly ProjectionTable[]): Promise<string> =>
  withTransaction(pool, (tx) => hashTables(tx, 'public', tables), { isolation: 'repeatable read' });

/** As `projectionHash`, of the tables in a schema as a transaction sees them. */
export async function hashTables(
  tx: Tx,
  schema: string,
  tables: readonly ProjectionTable[],
): Promise<string> {
  // How values are written depends on these.
  await tx.query(`select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, YMD', true)`);
  const hash = createHash('sha256');
  for (const table of [...tables].sort((a, b) => (a.name < b.name ? -1 : 1)))
    hash.update(JSON.stringify([table.name, await hashRows(tx, schema, table)]));
  return hash.digest('hex');
}

/** Sums over the rows' hashes are the same in any order, and one pass. */
async function hashRows(
  tx: Tx,
  schema: string,
  { name, notOfFacts = [] }: ProjectionTable,
): Promise<unknown> {
  const { rows: columns } = await tx.query<{ name: string }>(
    `select quote_ident(column_name) as name from information_schema.columns
     where table_schema = $1 and table_name = $2 and column_name <> all ($3) order by column_name`,
    [schema, name, notOfFacts],
  );
  if (columns.length === 0) throw new Error(`there is no table ${schema}.${name}`);
  const values = columns.map((column) => column.name).join(', ');
  const half = (from: number): string =>
    `coalesce(sum(('x' || substr(hash, ${from}, 16))::bit(64)::bigint::numeric), 0)::text`;
  const { rows } = await tx.query(
    `select count(*)::text as count, ${half(1)} as one, ${half(17)} as two
     from (select md5(row(${values})::text) as hash from ${schema}.${tx.escapeIdentifier(name)}) as hashed`,
  );
  return rows[0];
}
