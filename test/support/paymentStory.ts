import fc from 'fast-check';
import { chargeStepMinor } from '../../domain/money';

/** What may befall a call to the provider. */
export type Fault =
  | 'none'
  | 'declined'
  /** The request never arrived, and nobody knows. */
  | 'lost'
  /** It arrived and did what it should; its answer never came. */
  | 'answerLost';

/** One thing that happens to a payment; what cannot happen just then does not. */
export interface Move {
  readonly what:
    | 'authorize'
    | 'raise'
    | 'reauthorize'
    | 'expire'
    | 'end'
    | 'tip'
    | 'refund'
    | 'refundFails'
    | 'adjust'
    | 'collect'
    | 'waive'
    | 'dispute'
    | 'payout';
  /** In steps of what a card can be charged. */
  readonly amountMinor: number;
  readonly fault: Fault;
  /** Decides the rest: whether there is a driver, whether a dispute is won. */
  readonly coin: boolean;
}

/** A payment, and what happens to it one after another. */
export interface Story {
  readonly currency: string;
  readonly heldMinor: number;
  readonly paidBy: 'card' | 'cash' | 'card, or cash';
  readonly moves: readonly Move[];
}

/** Every kind of minor unit: hundredths, none, thousandths, ten-thousandths, and those that the provider counts otherwise. */
const currencies = [
  ...['USD', 'EUR', 'GBP', 'BRL', 'INR', 'MXN', 'NGN', 'ZAR', 'HUF', 'TWD', 'LAK'],
  ...['JPY', 'KRW', 'VND', 'CLP', 'XAF', 'XOF', 'XPF', 'PYG', 'RWF', 'BIF', 'DJF', 'GNF', 'KMF', 'VUV'],
  ...['BHD', 'JOD', 'KWD', 'OMR', 'TND', 'IQD', 'LYD', 'CLF', 'UYW', 'ISK', 'UGX', 'MGA'],
];

const anyMove: fc.Arbitrary<Move> = fc.record({
  // What ends the ride, and what comes after it, often: a sequence should get far.
  what: fc.constantFrom(
    ...(['raise', 'reauthorize', 'expire', 'authorize', 'end', 'end', 'tip', 'refund', 'refund'] as const),
    ...(['refundFails', 'adjust', 'adjust', 'collect', 'waive', 'dispute', 'payout', 'payout'] as const),
  ),
  amountMinor: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 400_000 })),
  fault: fc.constantFrom('none', 'none', 'declined', 'lost', 'answerLost'),
  coin: fc.boolean(),
});

export const anyStory: fc.Arbitrary<Story> = fc
  .record({
    currency: fc.constantFrom(...currencies),
    heldMinor: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 400_000 })),
    paidBy: fc.constantFrom('card', 'card', 'cash', 'card, or cash'),
    first: anyMove,
    moves: fc.array(anyMove, { maxLength: 16 }),
  })
  .map(({ currency, heldMinor, paidBy, first, moves }) => {
    const step = chargeStepMinor(currency);
    const all = [{ ...first, what: 'authorize' } as const, ...moves];
    return {
      currency,
      heldMinor: heldMinor * step,
      paidBy,
      moves: all.map((move) => ({ ...move, amountMinor: move.amountMinor * step })),
    };
  });
