import { inboxTables } from '../../platform/inbox/store';
import { namedPartition, partitionName } from '../../platform/kafka';
import { createPool, type Tx } from '../../platform/postgres';
import type { Projection } from '../../platform/projection';
import { nextSchema } from './rebuild';
import type { Positions } from './factLog';

/** Where the projection is kept that the last replay has replaced. */
const previousSchema = 'replay_previous';

/** Longer the live consumer is not held up: its own transactions give up waiting after 5 s. */
const LOCK_MS = 2_000;

/**
 * Holds up the live consumer until the end of the transaction: each of its own begins at its positions.
 * @returns where it stands
 */
export async function holdLive(tx: Tx, group: string): Promise<Positions> {
  await tx.query(`set local lock_timeout = ${LOCK_MS}`);
  await tx.query('lock table public.inbox_positions in access exclusive mode');
  const { rows } = await tx.query<{ topic: string; partition: number; next: number }>(
    'select topic, partition, next_offset as next from public.inbox_positions where consumer_group = $1',
    [group],
  );
  return new Map(rows.map((row) => [partitionName(row.topic, row.partition), row.next]));
}

/** `lock_not_available`, and `deadlock_detected`: who reads several of the tables may take them in another order. */
const locked = new Set<unknown>(['55P03', '40P01']);

/** Whether a lock could not be had: somebody else works on. */
export const isLockedOut = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && locked.has(error.code);

/**
 * Puts the rebuilt tables in the place of the live ones, positions and sequences with them, in the transaction that holds
 * up the live consumer. Whoever waits for one of these tables finds the new one behind its name.
 */
export async function switchOver(tx: Tx, projection: Projection): Promise<void> {
  await tx.query(`drop schema if exists ${previousSchema} cascade`);
  await tx.query(`create schema ${previousSchema}`);
  for (const table of [...projection.tables.map(({ name }) => name), ...inboxTables]) {
    const name = tx.escapeIdentifier(table);
    await tx.query(`alter table public.${name} set schema ${previousSchema}`);
    await tx.query(`alter table ${nextSchema}.${name} set schema public`);
  }
  await tx.query(`drop schema ${nextSchema} cascade`);
}

/** What an operator has discarded is not applied again. @returns how much has been since the last call */
export async function copyDiscarded(tx: Tx): Promise<number> {
  const { rowCount } = await tx.query(
    `insert into ${nextSchema}.inbox_discarded select * from public.inbox_discarded on conflict do nothing`,
  );
  return rowCount ?? 0;
}

/** The positions that the switch leaves: behind the last one's facts there may be repeats that the store does not keep. */
export async function setPositions(tx: Tx, group: string, positions: Positions): Promise<void> {
  for (const [name, next] of positions) {
    const { topic, partition } = namedPartition(name);
    await tx.query(
      `insert into ${nextSchema}.inbox_positions (consumer_group, topic, partition, next_offset)
       values ($1, $2, $3, $4)
       on conflict (consumer_group, topic, partition) do update set next_offset = excluded.next_offset`,
      [group, topic, partition, next],
    );
  }
}

/** Facts that the rebuild could not apply and the live one did. */
export async function newlyParked(tx: Tx): Promise<{ factId: string | null; reason: string }[]> {
  const { rows } = await tx.query<{ factId: string | null; reason: string }>(
    `select fact_id as "factId", reason from ${nextSchema}.inbox_parked next where head and not exists (
       select from public.inbox_parked live where live.consumer_group = next.consumer_group
         and live.topic = next.topic and live.partition = next.partition and live."offset" = next."offset")
     order by topic, partition, "offset" limit 10`,
  );
  return rows;
}

/** The live one's dead letters that the rebuild has applied: gone with the switch, as if they had been replayed. */
export async function appliedDeadLetters(tx: Tx): Promise<{ id: string; factId: string | null }[]> {
  const { rows } = await tx.query<{ id: string; factId: string | null }>(
    `select topic || ':' || partition || ':' || "offset" as id, fact_id as "factId"
     from public.inbox_parked live where head and not exists (
       select from ${nextSchema}.inbox_parked next where next.consumer_group = live.consumer_group
         and next.topic = live.topic and next.partition = live.partition and next."offset" = live."offset")
     order by topic, partition, "offset"`,
  );
  return rows;
}

/** Both have the same migrations, or a table of one would not do for the other's code. @throws Error where they differ */
export async function mustBeSameVersion(tx: Tx, projection: Projection): Promise<void> {
  for (const { name } of projection.migrations) {
    const table = tx.escapeIdentifier(`migrations_${name}`);
    const { rows } = await tx.query<{ name: string }>(
      `(select name from public.${table} except select name from ${nextSchema}.${table})
       union all (select name from ${nextSchema}.${table} except select name from public.${table})`,
    );
    if (rows.length > 0)
      throw new Error(`${projection.name} runs with other migrations (${rows[0]?.name}): upgrade it first`);
  }
}

/** Forgets the projection that the last replay has replaced. */
export async function dropPrevious(databaseUrl: string): Promise<void> {
  const pool = createPool(databaseUrl, { applicationName: 'replay', max: 1, statementTimeoutMs: 0 });
  await pool.query(`drop schema if exists ${previousSchema} cascade`).finally(() => pool.end());
}
