import type { Cell } from '../cells';
import { invariants, symptoms, type Invariant, type Symptom, type Violation } from '../judge';
import type { Site } from '../site';
import { consumeOffsetFirst, consumeRepeats, consumeWithoutOrder } from './consumers';
import { relayByIdentity } from './relay';

/** A way that looks right and is not: what the judge does not find it guilty of, it would not find in ours either. */
interface Wrong {
  /** Instead of ours, for ever. */
  readonly run: (site: Site) => Promise<void>;
  /** Where it comes to light, and as what. */
  readonly cell: Cell;
  readonly breaks: Invariant;
  /** By what it is told from one that is only slow, where what it breaks does not say so. */
  readonly symptom?: Symptom;
}

export const wrongWays = {
  'cursor over identity': {
    run: relayByIdentity,
    cell: { victim: 'relay', point: 'ackedUnmarked', way: 'kill' },
    breaks: 'recorded',
    symptom: 'hole',
  },
  'offset before the transaction': {
    run: consumeOffsetFirst,
    cell: { victim: 'consumer', point: 'beforeTransaction', way: 'kill' },
    breaks: 'consumed',
    symptom: 'lost',
  },
  'no de-duplication': {
    run: consumeRepeats,
    cell: { victim: 'consumer', point: 'committedUntold', way: 'kill' },
    breaks: 'effects',
  },
  'order dropped on retry': {
    run: consumeWithoutOrder,
    cell: { victim: 'consumer', point: 'beforeTransaction', way: 'cut' },
    breaks: 'effects',
  },
} as const satisfies Record<string, Wrong>;
export type WrongWay = keyof typeof wrongWays;

/** What of a judge's findings shows that this way is wrong, and what that is in words. */
export function showing(way: WrongWay, found: readonly Violation[]): { sought: string; found: Violation[] } {
  const { breaks, symptom }: Wrong = wrongWays[way];
  return {
    sought: symptom === undefined ? invariants[breaks] : `${invariants[breaks]}: ${symptoms[symptom]}`,
    found: found.filter(
      (one) => one.invariant === breaks && (symptom === undefined || one.symptom === symptom),
    ),
  };
}
