import type { Pool } from 'pg';
import type { RawRecord } from '../kafka/consumer';
import { isRetriable, withTransaction, type Tx } from '../postgres';
import type { Fact } from './fact';
import { Sorter } from './sorter';
import { lockPosition, movePosition, park, writeSequences, type ParkedRecord, type Place } from './store';

/**
 * What a consumer does with facts, inside the inbox's transaction. Those of one call are of one partition, in order.
 */
export type Handle = (tx: Tx, facts: readonly Fact[]) => Promise<void>;

export interface Application {
  readonly pool: Pool;
  readonly place: Place;
  readonly records: readonly RawRecord[];
  /** The partition's end as Kafka has it. */
  readonly endOffset: number;
  readonly handle: Handle;
  /** One call of `handle` a fact, each behind a savepoint, so that the one that fails is found and put aside. */
  readonly oneByOne: boolean;
  /** How often this has been tried, this time included. */
  readonly attempts: number;
  /** Publishes records that could not be applied, before the transaction commits: rather twice than never. */
  readonly deadLetter: (dead: readonly ParkedRecord[], attempts: number) => Promise<void>;
}

export interface Applied {
  readonly applied: number;
  readonly duplicates: number;
  readonly parked: readonly ParkedRecord[];
}

/**
 * One transaction: leaves out what has had its effect (below the stored position, or at or below its key's sequence),
 * applies the rest, puts aside what cannot be applied and what waits behind it, and moves sequences and position.
 *
 * A key's sequences rise by one from 1. A gap means that order was lost before us, so the fact behind it is put aside
 * like one that fails: had it been applied, it could not be undone when the missing one comes.
 * @throws whatever `handle` throws (when one by one, only what is retriable); nothing has happened then.
 */
export async function applyRecords(application: Application): Promise<Applied> {
  const { pool, place, records, endOffset, attempts } = application;
  return withTransaction(pool, async (tx) => {
    const position = await lockPosition(tx, place);
    // A position beyond the end is of a topic that has been made anew since: only the sequences count then.
    const fresh = position > endOffset ? records : records.filter((record) => record.offset >= position);
    const last = fresh.at(-1);
    if (!last) return { applied: 0, duplicates: 0, parked: [] };

    const sorter = await Sorter.of(tx, place, fresh);
    await (application.oneByOne ? handleOneByOne : handleTogether)(tx, fresh, sorter, application.handle);
    await writeSequences(tx, place, sorter.changed);
    for (const parked of sorter.parked) await park(tx, place, parked, attempts);
    await movePosition(tx, place, last.offset + 1, sorter.applied);
    const dead = sorter.parked.filter(({ reason }) => reason !== null);
    if (dead.length > 0) await application.deadLetter(dead, attempts);
    return sorter;
  });
}

async function handleTogether(
  tx: Tx,
  records: readonly RawRecord[],
  sorter: Sorter,
  handle: Handle,
): Promise<void> {
  const facts = records.flatMap((record) => sorter.next(record) ?? []);
  if (facts.length > 0) await handle(tx, facts);
}

async function handleOneByOne(
  tx: Tx,
  records: readonly RawRecord[],
  sorter: Sorter,
  handle: Handle,
): Promise<void> {
  for (const record of records) {
    const fact = sorter.next(record);
    if (!fact) continue;
    await tx.query('savepoint fact');
    try {
      await handle(tx, [fact]);
    } catch (error) {
      if (isRetriable(error)) throw error;
      await tx.query('rollback to savepoint fact');
      sorter.reject(record, fact, error);
    }
    await tx.query('release savepoint fact');
  }
}
