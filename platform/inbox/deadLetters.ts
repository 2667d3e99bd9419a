import {
  inTime,
  upToLimit,
  type DeadLetter,
  type DeadLetterDeed,
  type DeadLetterFilter,
  type DeadLetterOffice,
  type DiscardOrder,
} from '../deadLetters';
import type { KafkaLog } from '../kafka/client';
import { withTransaction, type Pool, type Tx } from '../postgres';
import { behindSavepoint, type Handle } from './apply';
import { findHeads, moveToDiscarded, readParked, readWhole, setHead, unpark } from './deadLetterStore';
import type { Fact } from './fact';
import { highWithout, isRepeat, readyOf, type Failure, type Next, type Ready } from './parkedOrder';
import { whyOf, type Skip } from './sorter';
import { addFacts, lockPosition, readKeys, writeSequence, type Source } from './store';

export interface InboxDeadLettersOptions {
  readonly pool: Pool;
  readonly group: string;
  /** The consumer's name, as operators know it. */
  readonly consumer: string;
  /** What topics begin with in this installation. */
  readonly topicPrefix: string;
  /** As `runInbox` has them. */
  readonly handle: Handle;
  readonly skip?: Skip | undefined;
  readonly log: Pick<KafkaLog, 'info'>;
}

/** Facts of one transaction at most; the live consumer of the partition waits meanwhile. */
const factsAtOnce = 200;

interface Release {
  readonly applied: number;
  /** The reason of the fact at which it ended; null where it did not. */
  readonly failed: string | null;
  readonly more: boolean;
}

/**
 * The way out for what `runInbox` has put aside. A key's facts are brought back in the order of their sequences, a bounded
 * number in a transaction, which begins with the lock of the partition's position, as the live consumer's do: so the two
 * take turns, and what comes of the key meanwhile waits behind, until nothing is left.
 */
export function createInboxDeadLetters(options: InboxDeadLettersOptions): DeadLetterOffice {
  const { pool, group, consumer, log } = options;
  const of = { group, consumer, prefix: options.topicPrefix };

  /** Brings a key's facts back until one fails, none is left, or there is no more time. */
  async function release(letter: DeadLetter, isTime: () => boolean): Promise<Release> {
    const source = sourceOf(letter);
    let applied = 0;
    for (;;) {
      const step = await withTransaction(pool, (tx) => releaseSome(tx, source, letter));
      applied += step.applied;
      if (step.failed !== null || !step.more || !isTime()) return { ...step, applied };
    }
  }

  async function releaseSome(tx: Tx, source: Source, letter: DeadLetter): Promise<Release> {
    await lockPosition(tx, source);
    const { key } = letter;
    const rows = await readParked(tx, source, { key, offset: letter.offset, limit: factsAtOnce + 1 });
    const states = await readKeys(tx, source, [key], { first: 0, last: -1 });
    const ready = readyOf(rows.slice(0, factsAtOnce), key, states, options.skip);
    const { passed, failure } = await applyInOrder(tx, ready);
    const last = passed.at(-1);
    const high = last?.fact.sequence ?? states.sequences.get(key) ?? 0;
    // Repeats of one that has failed wait behind it.
    const repeats = ready.repeats.filter(({ sequence }) => sequence !== null && sequence <= high);
    await unpark(tx, source, [...repeats, ...passed.map(({ row }) => row)]);
    if (last) await writeSequence(tx, source, key, high);
    const applied = passed.filter(({ skipped }) => !skipped).length;
    await addFacts(tx, source, applied);
    if (failure !== null) {
      const why = whyOf(failure.error);
      await setHead(tx, source, failure.row, { ...why, wasTried: true });
      return { applied, failed: why.reason, more: false };
    }
    const next = rows[repeats.length + passed.length];
    if (next)
      await setHead(tx, source, next, {
        ...{ reason: 'not_come_to: those before it have been replayed', stack: null, wasTried: false },
      });
    return { applied, failed: null, more: next !== undefined };
  }

  /** All in one call; where that fails, one after another up to the first that fails. */
  async function applyInOrder(tx: Tx, ready: Ready): Promise<{ passed: Next[]; failure: Failure | null }> {
    const wanted = (some: readonly Next[]): Fact[] =>
      some.filter(({ skipped }) => !skipped).map(({ fact }) => fact);
    const apply = async (some: readonly Next[]) => {
      const facts = wanted(some);
      return facts.length === 0 ? null : behindSavepoint(tx, () => options.handle(tx, facts));
    };
    if ((await apply(ready.next)) === null) return { passed: ready.next, failure: ready.failure };
    const passed: Next[] = [];
    for (const one of ready.next) {
      const failed = await apply([one]);
      if (failed) return { passed, failure: { row: one.row, error: failed.error } };
      passed.push(one);
    }
    return { passed, failure: ready.failure };
  }

  async function discardHead(letter: DeadLetter, { by, because }: DiscardOrder): Promise<boolean> {
    const source = sourceOf(letter);
    return withTransaction(pool, async (tx) => {
      await lockPosition(tx, source);
      const { key } = letter;
      const offset = letter.offset;
      const [row] = await readParked(tx, source, { key, offset, limit: 1, alone: true });
      if (!row?.head) return false;
      const rows = key === '' ? [] : await readParked(tx, source, { key, offset, limit: factsAtOnce });
      const others = rows.filter((one) => one.offset !== offset);
      const waiting = others.filter((one) => !isRepeat(one, row));
      const high = (await readKeys(tx, source, [key], { first: 0, last: -1 })).sequences.get(key) ?? 0;
      const sequence = highWithout(row, waiting, high);
      for (const one of [row, ...others.filter((other) => !waiting.includes(other))])
        await moveToDiscarded(tx, source, one, { by, because, sequence });
      if (key !== '' && sequence !== null) await writeSequence(tx, source, key, sequence);
      const [next] = waiting;
      if (next)
        await setHead(tx, source, next, {
          ...{ reason: 'not_come_to: the one before it was discarded', stack: null, wasTried: false },
        });
      return true;
    });
  }

  const sourceOf = ({ topic, partition }: DeadLetter): Source => ({ group, topic, partition });
  const deedOf = (
    { id, key }: DeadLetter,
    outcome: DeadLetterDeed['outcome'],
    { applied, failed, more }: Release,
  ): DeadLetterDeed => {
    if (failed !== null && outcome === 'replayed')
      return { id, key, outcome: 'failed', applied, reason: failed };
    return { id, key, outcome: more ? 'under_way' : outcome, applied, reason: failed };
  };

  const find = async (filter: DeadLetterFilter) =>
    upToLimit(await findHeads(pool, of, { ...filter, limit: filter.limit + 1 }), filter.limit);

  return {
    async list(filter) {
      const { letters, more } = await find(filter);
      return { deadLetters: letters, more };
    },
    show: (id) => readWhole(pool, of, id),
    async replay(order) {
      return inTime(await find(order), order, async (letter, isTime) => {
        const released = await release(letter, isTime);
        log.info({ group, ...letter, ...released }, 'dead letter replayed');
        return deedOf(letter, 'replayed', released);
      });
    },
    async discard(order) {
      return inTime(await find(order), order, async (letter, isTime) => {
        const { by, because } = order;
        if (await discardHead(letter, order))
          log.info({ group, ...letter, by, because }, 'dead letter discarded');
        const released = await release(letter, isTime);
        return deedOf(letter, 'discarded', released);
      });
    },
  };
}
