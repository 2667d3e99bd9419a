import { codeOf } from '../errors';
import type { RawRecord } from '../kafka/consumer';
import type { Tx } from '../postgres';
import { messageOf } from '../redact';
import { factOf, keyOf, type Fact } from './fact';
import { readKeys, type KeyStates, type ParkedRecord, type Source } from './store';

/** Why a fact is left out by choice: a word to count by; null for one that is wanted. */
export type Skip = (fact: Fact) => string | null;

/** Says of each record of a batch, in order, whether it is to be applied, has been, or is to be put aside. */
export class Sorter {
  /** New high-water marks of keys. */
  readonly changed = new Map<string, number>();
  readonly parked: ParkedRecord[] = [];
  readonly skipped: Record<string, number> = {};
  applied = 0;
  duplicates = 0;
  private readonly rejected = new Set<string>();
  /** Left out by choice: they wait like others behind a fact of their key that is rejected. */
  private leftOut: { readonly fact: Fact; readonly why: string }[] = [];

  private constructor(
    private readonly records: readonly RawRecord[],
    private readonly keys: readonly (string | null)[],
    private readonly states: KeyStates,
    private readonly skip: Skip | undefined,
  ) {}

  static async of(
    tx: Tx,
    source: Source,
    records: readonly RawRecord[],
    skip: Skip | undefined,
  ): Promise<Sorter> {
    const keys = records.map(keyOf);
    const asked = [...new Set(keys)].filter((key) => key !== null);
    const [first, last] = [records[0]!.offset, records.at(-1)!.offset];
    return new Sorter(records, keys, await readKeys(tx, source, asked, { first, last }), skip);
  }

  /** The facts that are to be applied now, in order; counted as applied until they are rejected. */
  sort(): Fact[] {
    const facts: Fact[] = [];
    this.records.forEach((record, i) => {
      const fact = this.next(record, this.keys[i] ?? null);
      if (fact) facts.push(fact);
    });
    return facts;
  }

  /**
   * Whether the fact waits behind one of its key that was rejected since it was sorted: it is put aside then, and not
   * counted as applied any more.
   */
  waits(fact: Fact): boolean {
    // Not those of a key that is parked from a later fact on: this one comes before it.
    if (!this.rejected.has(fact.key)) return false;
    this.applied -= 1;
    this.putAside(fact.record, fact.key, fact.id, null);
    return true;
  }

  /** The fact could not be applied: it is put aside, and what follows of its key waits behind it. */
  reject(fact: Fact, error: unknown, attempts: number): void {
    this.applied -= 1;
    this.rejected.add(fact.key);
    const before = fact.sequence - 1;
    if (before > 0) this.changed.set(fact.key, before);
    else this.changed.delete(fact.key);
    this.putAside(fact.record, fact.key, fact.id, error, attempts);
    this.leftOut = this.leftOut.filter(({ fact: { key, sequence, record, id }, why }) => {
      if (key !== fact.key || sequence < fact.sequence) return true;
      this.skipped[why]! -= 1;
      this.putAside(record, key, id, null);
      return false;
    });
  }

  private next(record: RawRecord, key: string | null): Fact | undefined {
    const sequence = this.states.discardedAs(record, key ?? '');
    if (sequence !== undefined) {
      if (key !== null && sequence !== null && sequence > (this.states.sequences.get(key) ?? 0))
        this.advance(key, sequence);
      return this.count('discarded');
    }
    const fact = attempt(() => factOf(record, key));
    if (key === null || fact instanceof Error) {
      const behind = key !== null && this.states.parked.has(key);
      return this.putAside(record, key, null, behind ? null : fact);
    }
    const high = this.states.sequences.get(key) ?? 0;
    if (fact.sequence <= high) {
      this.duplicates += 1;
      return undefined;
    }
    if (this.states.parked.has(key)) return this.putAside(record, key, fact.id, null);
    if (!this.states.mayFollow(key, high, fact.sequence))
      return this.putAside(record, key, fact.id, gap(fact.sequence, high));
    this.advance(key, fact.sequence);
    const reason = this.skip?.(fact) ?? null;
    if (reason !== null) {
      this.leftOut.push({ fact, why: reason });
      return this.count(reason);
    }
    this.applied += 1;
    return fact;
  }

  private advance(key: string, sequence: number): void {
    this.states.sequences.set(key, sequence);
    this.changed.set(key, sequence);
  }

  private count(reason: string): undefined {
    this.skipped[reason] = (this.skipped[reason] ?? 0) + 1;
  }

  private putAside(
    record: RawRecord,
    key: string | null,
    factId: string | null,
    error: unknown,
    attempts = 1,
  ): undefined {
    if (key !== null) this.states.parked.add(key);
    const waiting = { record, key: key ?? '', factId, reason: null, stack: null, attempts: 0 };
    this.parked.push(error === null ? waiting : { ...waiting, ...whyOf(error), attempts });
  }
}

export const gap = (sequence: number, high: number): Error =>
  Object.assign(new Error(`sequence ${sequence} after ${high}`), { code: 'gap' });

/** What is kept of an error: its code and message, and where it came from. */
export function whyOf(error: unknown): { reason: string; stack: string | null } {
  if (!(error instanceof Error)) return { reason: String(error).slice(0, 2_000), stack: null };
  const code = codeOf(error);
  const reason = `${code ? `${code}: ` : ''}${messageOf(error)}`.slice(0, 2_000);
  const stack = error.stack?.replace(error.message, messageOf(error)).slice(0, 8_000) ?? null;
  return { reason, stack };
}

function attempt<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
