import type { Evidence, RecordedFact } from '../../../tools/city/verdict/evidence';
import type { invariants } from '../../../tools/city/verdict/judge';
import { soundEvidence } from '../cityEvidence';

export type Promised = keyof typeof invariants;
export type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer I)[] ? I[] : T[K] };

/** Breaks the promise of its name in a way that can be said in words; what the judge says holds the second ones. */
export type Case = readonly [
  name: Promised,
  how: string,
  said: string,
  change: (evidence: Mutable<Evidence>) => unknown,
];

/** Sound evidence, changed. */
export function doctored(change: (evidence: Mutable<Evidence>) => unknown): Evidence {
  const evidence = structuredClone(soundEvidence()) as Mutable<Evidence>;
  change(evidence);
  return evidence;
}

export const fact = (evidence: Mutable<Evidence>, id: string): RecordedFact =>
  evidence.facts.find((one) => one.id === id)!;
export const without = <T>(items: readonly T[], is: (item: T) => boolean): T[] =>
  items.filter((item) => !is(item));
export const put = <T extends object>(
  items: readonly T[],
  is: (item: T) => boolean,
  change: Partial<T>,
): T[] => items.map((item) => (is(item) ? { ...item, ...change } : item));
export const ofRide =
  (id: string) =>
  (row: { readonly rideId: string | null }): boolean =>
    row.rideId === id;
export const withId =
  (id: string) =>
  (row: { readonly id: string }): boolean =>
    row.id === id;
export const withFact = (evidence: Mutable<Evidence>, id: string, change: Partial<RecordedFact>): void =>
  void (evidence.facts = put(evidence.facts, withId(id), change));
export const answer = (status: number, body: string) => ({ status, body, retryAfterMs: null });
