import { storedPositions } from '../../platform/inbox';
import { hashTables } from '../../platform/projectionHash';
import { createPool, migrate, withTransaction, type Pool, type Tx } from '../../platform/postgres';
import type { Projection } from '../../platform/projection';
import type { FactLog, Positions } from './factLog';
import { catchUp, nextSchema, openRebuild, type Rebuild } from './rebuild';
import {
  appliedDeadLetters,
  copyDiscarded,
  holdLive,
  isLockedOut,
  mustBeSameVersion,
  newlyParked,
  setPositions,
  switchOver,
} from './switchOver';

export interface WholeReplay {
  readonly projection: Projection;
  readonly databaseUrl: string;
  /** Under which the live consumer keeps its positions. */
  readonly group: string;
  readonly log: FactLog;
  /** A consumer that has never run: it begins where the log ended when it was opened. */
  readonly isNew: boolean;
  /** Compares with the live one and changes nothing. */
  readonly checkOnly: boolean;
  readonly say: (line: string) => void;
}

export interface Replayed {
  readonly facts: number;
  readonly ms: number;
  /** Of both at the same facts, where they were compared. */
  readonly hashes?: { readonly live: string; readonly rebuilt: string };
}

/** For so long the live consumer is held up at most; then it goes on, and the rest is caught up before the next try. */
const HOLD_MS = 3_500;
const TRIES = 20;

/**
 * Makes a projection anew beside the live one and puts it in its place. The live one works on meanwhile, and where this
 * ends half way, by an error or a kill, it is as it was: the next replay begins again.
 * @throws Error where it cannot be switched over, with the reason
 */
export async function replayWhole(replay: WholeReplay): Promise<Replayed> {
  const { projection, databaseUrl, group, log, isNew, say } = replay;
  const startedAt = Date.now();
  const live = createPool(databaseUrl, { applicationName: 'replay', max: 3, statementTimeoutMs: 0 });
  let pool: Pool | undefined;
  try {
    if (isNew) await migrate(databaseUrl, projection.migrations);
    const standing = await storedPositions(live, group);
    if (isNew && standing.size > 0) throw new Error(`${projection.name} has run already: leave out --new`);
    if (!isNew && standing.size === 0) throw new Error(`${projection.name} has never run: --new begins it`);
    pool = await openRebuild(databaseUrl, projection);
    await withTransaction(live, async (tx) => {
      await mustBeSameVersion(tx, projection);
      await copyDiscarded(tx);
    });
    const rebuild: Rebuild = { pool, group, projection, feeds: log.feeds };
    let facts = 0;
    for (let left = TRIES; left > 0; left--) {
      const targets = isNew ? log.ends : await storedPositions(live, group);
      facts += await catchUp(rebuild, targets);
      say(`${facts} facts in ${seconds(startedAt)} s, switching over`);
      const last = await finish(live, rebuild, replay);
      facts += last.facts;
      if (last.done)
        return { facts, ms: Date.now() - startedAt, ...(last.hashes && { hashes: last.hashes }) };
    }
    throw new Error(`the live ${projection.name} is faster than this: nothing was changed`);
  } finally {
    await pool?.end();
    await live.query(`drop schema if exists ${nextSchema} cascade`).finally(() => live.end());
  }
}

/** The last facts and the switch, while the live consumer waits; not done where that would take too long. */
async function finish(
  live: Pool,
  rebuild: Rebuild,
  { projection, group, log, isNew, checkOnly }: WholeReplay,
): Promise<{ facts: number; done: boolean; hashes?: Replayed['hashes'] }> {
  const deadline = AbortSignal.timeout(HOLD_MS);
  let facts = 0;
  const snapshot = checkOnly ? await live.connect() : undefined;
  try {
    await withTransaction(live, async (tx) => {
      const standing = await holdLive(tx, group);
      if (isNew && standing.size > 0) throw new Error(`${projection.name} was started meanwhile`);
      const targets: Positions = isNew ? log.ends : standing;
      // The rebuild may have been past it, and applied it or put it aside anew.
      if ((await copyDiscarded(tx)) > 0)
        throw new Error('dead letters were discarded meanwhile: replay again');
      facts = await catchUp(rebuild, targets, deadline);
      if (deadline.aborted) throw new Overtime();
      // What a new consumer cannot apply is its operators' to see to.
      if (!isNew) await mustApplyAsMuch(tx, projection);
      if (snapshot) await takeSnapshot(snapshot);
      else {
        await mustSetOffNothing(tx, projection);
        await setPositions(tx, group, targets);
        await switchOver(tx, projection);
      }
    });
    if (!snapshot) return { facts, done: true };
    const hashes = {
      live: await hashTables(snapshot, 'public', projection.tables),
      rebuilt: await hashTables(snapshot, nextSchema, projection.tables),
    };
    await snapshot.query('rollback');
    return { facts, done: true, hashes };
  } catch (error) {
    if (!(error instanceof Overtime) && !isLockedOut(error)) throw error;
    return { facts, done: false };
  } finally {
    // With the transaction that it may be in.
    snapshot?.release(true);
  }
}

class Overtime extends Error {}

/** Of both projections at this moment: what they hold is compared when nobody waits any more. */
async function takeSnapshot(tx: Tx): Promise<void> {
  await tx.query('begin isolation level repeatable read');
  await tx.query('select 1');
}

async function mustApplyAsMuch(tx: Tx, { name }: Projection): Promise<void> {
  const parked = await newlyParked(tx);
  if (parked.length === 0) return;
  const lines = parked.map(({ factId, reason }) => `${factId ?? 'a record'}: ${reason}`);
  throw new Error(`${name} as it is now cannot apply what the live one has:\n  ${lines.join('\n  ')}`);
}

/** Dead letters that are named in an error. */
const NAMED = 10;

/** What a dead letter is to set off comes of it when it is replayed, and never where it is gone. */
async function mustSetOffNothing(tx: Tx, { name, setsOff }: Projection): Promise<void> {
  if (setsOff === undefined) return;
  const applied = await appliedDeadLetters(tx);
  if (applied.length === 0) return;
  const lines = applied.slice(0, NAMED).map(({ id, factId }) => `${name}:${id} (${factId ?? 'a record'})`);
  if (applied.length > NAMED) lines.push(`and ${applied.length - NAMED} more`);
  throw new Error(
    `${setsOff} that dead letters are to set off would never come, as a replay sets off none: first bring them in with` +
      ` "npx hailway dlq replay ID", or give them up with "npx hailway dlq discard ID":\n  ${lines.join('\n  ')}`,
  );
}

const seconds = (since: number): string => ((Date.now() - since) / 1_000).toFixed(1);
