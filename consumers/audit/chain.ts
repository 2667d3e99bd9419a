import { createHash } from 'node:crypto';

/** A fact as the store keeps it: what its hash covers. Times are milliseconds since 1970. */
export interface StoredFact {
  readonly topic: string;
  readonly partition: number;
  /** In the chain of its topic's partition: 1, 2, 3, … */
  readonly place: number;
  readonly offset: number;
  readonly key: string;
  readonly sequence: number;
  readonly factId: string;
  readonly type: string;
  readonly timeMs: number;
  readonly sentMs: number;
  readonly recordedMs: number;
  readonly correlationId: string;
  readonly causationId: string;
  /** `role:subject` of who gave the command, if that is known. */
  readonly caller: string | null;
  /** All of the record's headers, as JSON. */
  readonly headers: string;
  /** The record's value, as it came. */
  readonly data: string;
}

/** What the first fact of a chain follows on. */
export const chainBegin: Buffer = Buffer.alloc(0);

/**
 * The hash of a fact in its chain: SHA-256 of the hash before it and of each field behind its length in bytes, so that
 * no two facts are the same bytes. `fact_hash` of the database's migrations does the same.
 */
export function factHash(previous: Buffer, fact: StoredFact): Buffer {
  const { topic, partition, place, offset, key, sequence, factId, type, timeMs, sentMs, recordedMs } = fact;
  const { correlationId, causationId, caller, headers, data } = fact;
  const hash = createHash('sha256').update(previous);
  let text = '';
  for (const field of [
    ...[topic, partition, place, offset, key, sequence, factId, type, timeMs, sentMs, recordedMs],
    ...[correlationId, causationId, caller ?? '', headers, data],
  ]) {
    const written = String(field);
    text += `${Buffer.byteLength(written)}:${written}`;
  }
  return hash.update(text).digest();
}
