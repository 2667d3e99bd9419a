import { selectedRecords, type Selection } from '../../consumers/audit/replaySource';
import { parseFact, storedPositions, type Fact } from '../../platform/inbox';
import { namedPartition, partitionName, type RawRecord } from '../../platform/kafka';
import { createPool, withTransaction, type Pool, type Tx } from '../../platform/postgres';
import type { Projection, ProjectionTable } from '../../platform/projection';
import { wait } from '../../platform/wait';
import type { Positions } from './factLog';
import { nextSchema, openRebuild } from './rebuild';
import { mustHaveNoGaps } from './storeGaps';
import { holdLive, isLockedOut } from './switchOver';
import type { Replayed } from './whole';

export interface PartReplay {
  readonly projection: Projection;
  readonly databaseUrl: string;
  readonly group: string;
  readonly audit: Pool;
  readonly auditGroup: string;
  readonly selection: Selection;
}

/** So long the store may be behind the live consumer, and so long the live one is held up for it. */
const STORE_WITHIN_MS = 60_000;
const HOLD_MS = 2_000;
const TRIES = 20;

/**
 * Makes some rows of a projection anew, from the audit store: those that come from facts of the selected keys (or of
 * what shares their correlation) and of the selected time on. All others stay, and so do positions and sequences: a fact
 * that the live consumer has not applied, or has put aside, is left to it.
 * @throws Error where a fact cannot be applied, or the store is behind or lacks some; nothing is changed then
 */
export async function replayPart(replay: PartReplay): Promise<Replayed> {
  const { projection, databaseUrl, group, selection } = replay;
  const startedAt = Date.now();
  const live = createPool(databaseUrl, { applicationName: 'replay', max: 2, statementTimeoutMs: 0 });
  let pool: Pool | undefined;
  try {
    pool = await openRebuild(databaseUrl, projection);
    await seed(live, projection, selection);
    const applied = new AppliedPart(replay, pool, live);
    for (let left = TRIES; left > 0; left--) {
      await applied.upTo(await storedPositions(live, group), STORE_WITHIN_MS);
      const isDone = await withTransaction(live, async (tx) => {
        await applied.upTo(await holdLive(tx, group), HOLD_MS);
        for (const table of projection.tables) await replaceRows(tx, table, selection);
      }).then(() => true, whereOvertaken);
      if (isDone) return { facts: applied.facts, ms: Date.now() - startedAt };
    }
    throw new Error(`the audit store does not keep up with ${projection.name}: nothing was changed`);
  } finally {
    await pool?.end();
    await live.query(`drop schema if exists ${nextSchema} cascade`).finally(() => live.end());
  }
}

/** What has been applied of the selected facts so far: up to an offset of each partition. */
class AppliedPart {
  facts = 0;
  private readonly ends = new Map<string, number>();
  /** Selected facts that the live consumer had put aside or given up, as `topic/partition/offset`. */
  private readonly leftOut = new Set<string>();

  constructor(
    private readonly replay: PartReplay,
    private readonly pool: Pool,
    private readonly live: Pool,
  ) {}

  /**
   * @throws StoreBehind where the store has not got there within so many milliseconds
   * @throws Error where the live consumer has applied by now what was left out before: its turn has passed here
   */
  async upTo(targets: Positions, withinMs: number): Promise<void> {
    const { audit, auditGroup, group, projection, selection } = this.replay;
    await untilStored(audit, auditGroup, targets, withinMs);
    // In this order: what is discarded between the two is in both.
    const parked = await recordsIn(this.live, 'inbox_parked', group);
    const discarded = await recordsIn(this.live, 'inbox_discarded', group);
    const notApplied = new Set([...parked, ...discarded]);
    const replayed = [...this.leftOut].filter((record) => !notApplied.has(record));
    if (replayed.length > 0)
      throw new Error(`dead letters were replayed meanwhile (${replayed.join(', ')}): replay again`);
    await mustHaveNoGaps(audit, auditGroup, targets, selection, discarded);
    const ranges = [...targets].map(([name, below]) => ({
      ...namedPartition(name),
      ...{ from: this.ends.get(name) ?? 0, below },
    }));
    await withTransaction(audit, async (tx) => {
      for await (const page of selectedRecords(tx, selection, ranges)) {
        const records = page.filter((record) => {
          const name = `${partitionName(record.topic, record.partition)}/${record.offset}`;
          if (notApplied.has(name)) this.leftOut.add(name);
          return !notApplied.has(name);
        });
        this.facts += await applyRuns(this.pool, projection, records);
      }
    });
    for (const [name, end] of targets) this.ends.set(name, end);
  }
}

class StoreBehind extends Error {}

const whereOvertaken = (error: unknown): false => {
  if (error instanceof StoreBehind || isLockedOut(error)) return false;
  throw error;
};

/** SQL: whether a row is one of those that are made anew; null where no row of the table is. */
function isSelected({ key, time }: ProjectionTable, { from }: Selection): string | null {
  if (from !== undefined && time === undefined) return null;
  return `($1::text[] is null or ${key} = any ($1)) and ($2::timestamptz is null or ${time ?? 'null'} >= $2)`;
}

const valuesOf = ({ keys, from }: Selection): unknown[] => [keys ?? null, from ?? null];

/** What facts of before the time have made is as the live one has it. */
async function seed(live: Pool, { tables }: Projection, selection: Selection): Promise<void> {
  for (const table of tables)
    if (isSelected(table, selection) === null)
      await live.query(`insert into ${nextSchema}.${table.name} select * from public.${table.name}`);
}

async function replaceRows(tx: Tx, table: ProjectionTable, selection: Selection): Promise<void> {
  const selected = isSelected(table, selection);
  if (selected === null) return;
  await tx.query(`delete from public.${table.name} where ${selected}`, valuesOf(selection));
  await tx.query(
    `insert into public.${table.name} select * from ${nextSchema}.${table.name} where ${selected}`,
    valuesOf(selection),
  );
}

/** Facts of one call are of one partition, as the live consumer's. */
async function applyRuns(
  pool: Pool,
  { handle, skip }: Projection,
  records: readonly RawRecord[],
): Promise<number> {
  const runs: Fact[][] = [];
  for (const fact of records.map(parseFact).filter((one) => !skip?.(one))) {
    const run = runs.at(-1);
    const before = run?.[0];
    if (before?.record.topic === fact.record.topic && before.record.partition === fact.record.partition)
      run!.push(fact);
    else runs.push([fact]);
  }
  for (const run of runs) await withTransaction(pool, (tx) => handle(tx, run));
  return records.length;
}

/** Records that a group has put aside or given up, as `topic/partition/offset`. */
async function recordsIn(
  live: Pool,
  table: 'inbox_parked' | 'inbox_discarded',
  group: string,
): Promise<Set<string>> {
  const { rows } = await live.query<{ name: string }>(
    `select topic || '/' || partition || '/' || "offset" as name from ${table} where consumer_group = $1`,
    [group],
  );
  return new Set(rows.map(({ name }) => name));
}

/** Waits until the store has what the live consumer has applied. */
async function untilStored(
  audit: Pool,
  auditGroup: string,
  targets: Positions,
  withinMs: number,
): Promise<void> {
  for (const deadline = Date.now() + withinMs; ; await wait(50)) {
    const stored = await storedPositions(audit, auditGroup);
    const behind = [...targets].filter(([name, target]) => (stored.get(name) ?? 0) < target);
    if (behind.length === 0) return;
    if (Date.now() > deadline)
      throw new StoreBehind(`the audit store is behind in ${behind.map(([name]) => name).join(', ')}`);
  }
}
