import type { RawRecord } from '../kafka/consumer';
import { codeOf } from '../errors';
import type { Tx } from '../postgres';
import { keyOf, parseFact, type Fact } from './fact';
import { readParkedKeys, readSequences, type ParkedRecord, type Place } from './store';

/** Says of each record of a batch, in order, whether it is to be applied, has been, or is to be put aside. */
export class Sorter {
  /** New high-water marks of the keys that had facts applied. */
  readonly changed = new Map<string, number>();
  readonly parked: ParkedRecord[] = [];
  applied = 0;
  duplicates = 0;

  private constructor(
    private readonly sequences: Map<string, number>,
    private readonly parkedKeys: Set<string>,
  ) {}

  static async of(tx: Tx, place: Place, records: readonly RawRecord[]): Promise<Sorter> {
    const keys = [...new Set(records.flatMap((record) => keyOf(record) ?? []))];
    return new Sorter(await readSequences(tx, place, keys), await readParkedKeys(tx, place, keys));
  }

  /** The record's fact when it is to be applied now; counted as applied until it is rejected. */
  next(record: RawRecord): Fact | undefined {
    const key = keyOf(record);
    const fact = attempt(() => parseFact(record));
    if (key === null || fact instanceof Error) {
      const behind = key !== null && this.parkedKeys.has(key);
      return this.putAside(record, key, null, behind ? null : fact);
    }
    const high = this.sequences.get(key) ?? 0;
    if (fact.sequence <= high) {
      this.duplicates += 1;
      return undefined;
    }
    if (this.parkedKeys.has(key)) return this.putAside(record, key, fact.id, null);
    if (fact.sequence !== high + 1) {
      return this.putAside(record, key, fact.id, new Error(`gap: sequence ${fact.sequence} after ${high}`));
    }
    this.advance(key, fact.sequence);
    this.applied += 1;
    return fact;
  }

  /** The fact could not be applied: it is put aside, and what follows of its key waits behind it. */
  reject(record: RawRecord, fact: Fact, error: unknown): void {
    this.applied -= 1;
    this.advance(fact.key, fact.sequence - 1);
    this.putAside(record, fact.key, fact.id, error);
  }

  private advance(key: string, sequence: number): void {
    this.sequences.set(key, sequence);
    if (sequence > 0) this.changed.set(key, sequence);
    else this.changed.delete(key);
  }

  private putAside(record: RawRecord, key: string | null, factId: string | null, error: unknown): undefined {
    if (key !== null) this.parkedKeys.add(key);
    const stack = error instanceof Error ? (error.stack ?? null) : null;
    this.parked.push({
      record,
      key: key ?? '',
      factId,
      reason: error === null ? null : describe(error),
      stack,
    });
  }
}

function attempt<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error);
  return `${code ? `${code}: ` : ''}${error.message}`.slice(0, 2_000);
}
