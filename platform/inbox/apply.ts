import type { RawRecord } from '../kafka/consumer';
import { isRetriable, withTransaction, type Pool, type Tx } from '../postgres';
import type { Fact } from './fact';
import { Sorter, type Skip } from './sorter';
import { lockPosition, movePosition, park, type ParkedRecord, type Source } from './store';

/**
 * What a consumer does with facts, inside the inbox's transaction. Those of one call are of one partition, in order.
 */
export type Handle = (tx: Tx, facts: readonly Fact[]) => Promise<void>;

export interface Application {
  readonly pool: Pool;
  readonly source: Source;
  readonly records: readonly RawRecord[];
  /** The partition's end as Kafka has it. */
  readonly endOffset: number;
  readonly handle: Handle;
  readonly skip?: Skip | undefined;
  /**
   * `handle` is called behind savepoints with halves, and halves of those, until the fact is alone that fails; it is put
   * aside, or thrown as `FactHeld` where it may yet succeed.
   */
  readonly apart: boolean;
  /** How often the fact at an offset has failed by itself before (0), where that may pass. */
  readonly triesOf?: (offset: number) => number;
  /** After so many tries a fact that keeps failing of what may pass is put aside, too. */
  readonly maxTries?: number;
  /** Looks at the stored position before anything is done; what it throws is thrown. */
  readonly checkPosition?: (position: number) => void;
  /** Publishes records that could not be applied, before the transaction commits: rather twice than never. */
  readonly deadLetter: (dead: readonly ParkedRecord[]) => Promise<void>;
}

export interface Applied {
  readonly applied: number;
  readonly duplicates: number;
  /** Facts left out by choice, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly parked: readonly ParkedRecord[];
}

/** One fact fails of what may pass, while the database is there: nothing has happened, and it is to be tried again. */
export class FactHeld extends Error {
  override readonly name = 'FactHeld';
  readonly retriable = true;

  constructor(
    readonly offset: number,
    readonly factId: string,
    cause: unknown,
  ) {
    super(`${factId} is not applied yet`, { cause });
  }
}

/**
 * One transaction: leaves out what has had its effect (below the stored position, or at or below its key's sequence),
 * applies the rest, puts aside what cannot be applied and what waits behind it, and moves sequences and position.
 *
 * A key's sequences rise by one from 1. A gap means that order was lost before us, so the fact behind it is put aside
 * like one that fails: had it been applied, it could not be undone when the missing one comes.
 * @throws whatever `handle` throws (apart: only what is retriable, as `FactHeld` while the database answers); nothing has
 *   happened then.
 */
export async function applyRecords(application: Application): Promise<Applied> {
  const { pool, source, records, endOffset } = application;
  return withTransaction(pool, async (tx) => {
    const position = await lockPosition(tx, source);
    application.checkPosition?.(position);
    // A position beyond the end is of a topic that has been made anew since: only the sequences count then.
    const fresh = position > endOffset ? records : records.filter((record) => record.offset >= position);
    const last = fresh.at(-1);
    if (!last) return { applied: 0, duplicates: 0, skipped: {}, parked: [] };

    const sorter = await Sorter.of(tx, source, fresh, application.skip);
    const facts = sorter.sort();
    const moveOn = async (): Promise<void> => {
      for (const parked of sorter.parked) await park(tx, source, parked);
      await movePosition(tx, source, {
        nextOffset: last.offset + 1,
        facts: sorter.applied,
        sequences: sorter.changed,
      });
    };
    if (application.apart) {
      await handleApart(tx, facts, sorter, application);
      await moveOn();
    } else {
      // First what is this partition's own: rows that others change, too, are locked for as short as can be.
      await moveOn();
      if (facts.length > 0) await application.handle(tx, facts);
    }
    const dead = sorter.parked.filter(({ reason }) => reason !== null);
    if (dead.length > 0) await application.deadLetter(dead);
    return sorter;
  });
}

async function handleApart(
  tx: Tx,
  sorted: readonly Fact[],
  sorter: Sorter,
  application: Application,
): Promise<void> {
  const facts = sorted.filter((fact) => !sorter.waits(fact));
  const [fact] = facts;
  if (!fact) return;
  const failure = await behindSavepoint(tx, () => application.handle(tx, facts));
  if (failure === null) return;
  if (facts.length > 1) {
    const middle = facts.length >> 1;
    await handleApart(tx, facts.slice(0, middle), sorter, application);
    return handleApart(tx, facts.slice(middle), sorter, application);
  }
  const tries = (application.triesOf?.(fact.offset) ?? 0) + 1;
  if (isRetriable(failure.error) && tries < (application.maxTries ?? 1))
    throw new FactHeld(fact.offset, fact.id, failure.error);
  sorter.reject(fact, failure.error, tries);
}

/**
 * What the work threw, taken back; null when it did not. What is only checked at the commit is checked here, so that it
 * is known whose it is.
 * @throws when the database does not answer any more.
 */
export async function behindSavepoint(
  tx: Tx,
  work: () => Promise<void>,
): Promise<{ readonly error: unknown } | null> {
  await tx.query('savepoint facts');
  try {
    await work();
    await tx.query('set constraints all immediate');
  } catch (error) {
    await tx.query('rollback to savepoint facts; release savepoint facts');
    return { error };
  }
  await tx.query('set constraints all deferred; release savepoint facts');
  return null;
}
