import type { RideStatus } from '../../../domain/ride';
import { seededRandom } from '../random';

/** How a ride is meant to go. `ends` is the state that it is meant to end in. */
export const personas = {
  normal: { share: 19, ends: 'completed' },
  /** The card is declined. */
  declinedCard: { share: 1, ends: 'payment_failed' },
  /** No driver wants to go there: offers are declined or ignored until the deadline. */
  unwanted: { share: 1, ends: 'no_driver' },
  riderCancelsMatching: { share: 1, ends: 'cancelled' },
  riderCancelsAssigned: { share: 1, ends: 'cancelled' },
  /** The first driver gives the ride back, another one drives it. */
  driverCancels: { share: 1, ends: 'completed' },
  /** The rider does not come to the pickup. */
  noShow: { share: 1, ends: 'cancelled' },
} as const satisfies Record<string, { share: number; ends: RideStatus }>;

export type Persona = keyof typeof personas;

/** How a rider's app repeats its request, with the same key: never, once later, or twice at once. */
export type Repeat = 'never' | 'later' | 'atOnce';

export interface Card {
  readonly persona: Persona;
  readonly means: 'card' | 'cash';
  readonly repeat: Repeat;
}

export const blockSize = Object.values(personas).reduce((sum, { share }) => sum + share, 0);

/**
 * Deals a block of 25 rides: every persona with its share, `cashShare` of them (0 to 1) in cash, some repeating
 * their request. So whatever has a share happens in every run of 25 rides and more.
 */
export function dealBlock(seed: string, block: number, cashShare: number): Card[] {
  const random = seededRandom(seed, 'deck', block);
  const dealt = random.shuffle(
    Object.entries(personas).flatMap(([persona, { share }]) =>
      Array<Persona>(share).fill(persona as Persona),
    ),
  );
  const payers = dealt.filter((persona) => persona !== 'declinedCard').length;
  const cash = Math.min(payers, Math.round(cashShare * blockSize));
  const means = random.shuffle(
    Array.from({ length: payers }, (_, i): Card['means'] => (i < cash ? 'cash' : 'card')),
  );
  const repeats = random.shuffle(Array.from({ length: blockSize }, (_, i) => repeatOf(i)));
  return dealt.map((persona, i) => ({
    persona,
    means: persona === 'declinedCard' ? 'card' : (means.pop() ?? 'card'),
    repeat: repeats[i] ?? 'never',
  }));
}

/** Three of 25 each. */
function repeatOf(i: number): Repeat {
  if (i < 3) return 'later';
  return i < 6 ? 'atOnce' : 'never';
}
