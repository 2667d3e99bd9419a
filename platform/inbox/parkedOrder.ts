import type { ParkedRow } from './deadLetterStore';
import { headerOf, ownSequenceOf, parseFact, placeOf, type Fact } from './fact';
import { gap, type Skip } from './sorter';
import type { KeyStates } from './store';

/** How what waits of a key goes on: which of it can have its effect, and from where, where some is given up. */

/** A row that can have its effect. */
export interface Next {
  readonly row: ParkedRow;
  readonly fact: Fact;
  readonly skipped: boolean;
}

export interface Failure {
  readonly row: ParkedRow;
  readonly error: unknown;
}

export interface Ready {
  /** What has had its effect already, or will have had it by one of `next`. */
  readonly repeats: readonly ParkedRow[];
  readonly next: Next[];
  /** Where it cannot go on. */
  readonly failure: Failure | null;
}

/** Which of a key's rows, in their order, can have their effect now. */
export function readyOf(
  rows: readonly ParkedRow[],
  key: string,
  states: KeyStates,
  skip: Skip | undefined,
): Ready {
  const repeats: ParkedRow[] = [];
  const next: Next[] = [];
  let at = states.sequences.get(key) ?? 0;
  for (const row of rows) {
    let fact: Fact;
    try {
      const isBehind = row.sequence !== null && row.sequence <= at;
      if (isBehind && isHadAlready(row, next.at(-1)?.row)) {
        repeats.push(row);
        continue;
      }
      fact = parseFact(row.record);
      if (isBehind) throw anotherRecord(fact);
      if (!states.mayFollow(key, at, fact.sequence)) throw gap(fact.sequence, at);
    } catch (error) {
      return { repeats, next, failure: { row, error } };
    }
    next.push({ row, fact, skipped: (skip?.(fact) ?? null) !== null });
    at = fact.sequence;
  }
  return { repeats, next, failure: null };
}

/**
 * Whether a row at or below the key's sequence is what had its effect: a repeat of the one before it; where that one is not
 * here any more, the fact of that sequence by its own word. What somebody else wrote is left to the operator.
 */
const isHadAlready = (row: ParkedRow, before: ParkedRow | undefined): boolean =>
  before === undefined ? ownSequenceOf(row.record) === row.sequence : isRepeat(row, before);

const anotherRecord = ({ sequence, id }: Fact): Error =>
  Object.assign(new Error(`sequence ${sequence} has passed, and ${id} is no repeat of it`), {
    code: 'another_record',
  });

/** The same record, sent again. */
export const isRepeat = (one: ParkedRow, other: ParkedRow): boolean =>
  one.sequence !== null &&
  one.sequence === other.sequence &&
  headerOf(one.record.headers, 'ce_id') === headerOf(other.record.headers, 'ce_id') &&
  String(one.record.value) === String(other.record.value);

/**
 * The sequence from which a key goes on when a record of it is given up; null where it stays. No sequence is passed over
 * that may yet come, or waits: the record's own is only believed where it is the next, or what waits goes on from there.
 */
export function highWithout(
  { record }: ParkedRow,
  waiting: readonly ParkedRow[],
  high: number,
): number | null {
  const places = waiting.map((one) => placeOf(one.record));
  const next = places.find((place): place is number => typeof place === 'number' && place > high) ?? null;
  const place = placeOf(record);
  if (place === 'foreign') return null;
  if (place === 'unknown') {
    // It may be one that is missing before the next that there is, as each that waits and says no more than it.
    const missing = next === null ? Infinity : next - high - 1;
    return missing <= 1 + places.filter((one) => one === 'unknown').length ? high + missing : null;
  }
  if (place === high + 1) return next === place ? null : place;
  // Behind a gap, which is given up with it.
  return place > high && next !== null && next > place ? place : null;
}
