import type { Cell } from '../cells';
import type { Invariant } from '../judge';
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
}

export const wrongWays = {
  'cursor over identity': {
    run: relayByIdentity,
    cell: { victim: 'relay', point: 'ackedUnmarked', way: 'kill' },
    breaks: 'recorded',
  },
  'offset before the transaction': {
    run: consumeOffsetFirst,
    cell: { victim: 'consumer', point: 'beforeTransaction', way: 'kill' },
    breaks: 'consumed',
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
