import type { RideStatus } from '../../../domain/ride';
import { seededRandom, type Random } from '../random';

/** Of a rider's cards: one that pays, one that is declined, and one whose hold cannot be raised. */
export type CardKind = 'good' | 'declined' | 'limited';

interface Way {
  /** How many of a block's rides. */
  readonly share: number;
  /** The state that it is meant to end in. */
  readonly ends: RideStatus;
  /** The card that it is paid with; without it, by card or in cash. */
  readonly card?: CardKind;
}

/** How a ride is meant to go. */
export const personas = {
  normal: { share: 10, ends: 'completed' },
  /** The card is declined. */
  declinedCard: { share: 1, ends: 'payment_failed', card: 'declined' },
  /** No driver wants to go there: offers are declined or ignored until the deadline. */
  unwanted: { share: 1, ends: 'no_driver' },
  riderCancelsMatching: { share: 1, ends: 'cancelled' },
  /** So late that it costs a fee. */
  riderCancelsAssigned: { share: 1, ends: 'cancelled', card: 'good' },
  /** The first driver gives the ride back, another one drives it. */
  driverCancels: { share: 1, ends: 'completed' },
  /** The rider does not come to the pickup. */
  noShow: { share: 1, ends: 'cancelled', card: 'good' },
  /** The rider lets the driver wait for longer than is free. */
  keepsWaiting: { share: 1, ends: 'completed', card: 'good' },
  /** Requested for later, and changed before its time: when, and where to. */
  plansAhead: { share: 1, ends: 'completed' },
  cancelsPlan: { share: 1, ends: 'cancelled' },
  /** Under way the rider wants to go further; the driver agrees, and the hold is raised. */
  goesFurther: { share: 1, ends: 'completed', card: 'good' },
  /** The driver does not agree: the ride goes on as it was. */
  goesNoFurther: { share: 1, ends: 'completed' },
  /** The driver agrees, and the hold cannot be raised. */
  cannotPayFurther: { share: 1, ends: 'completed', card: 'limited' },
  endsEarly: { share: 1, ends: 'completed', card: 'good' },
  /** A courier with several drops. */
  sendsParcels: { share: 2, ends: 'completed' },
} as const satisfies Record<string, Way>;

export type Persona = keyof typeof personas;

/** How a ride of this persona is meant to go. */
export const wayOf = (persona: Persona): Way => personas[persona];

/** How a rider's app repeats its request, with the same key: never, once later, or twice at once. */
export type Repeat = 'never' | 'later' | 'atOnce';

/** Whether a rider sends friends a link to the ride, and takes it back when they have looked. */
export type Share = 'never' | 'once' | 'takesBack';

export interface Card {
  readonly persona: Persona;
  /** The card that it is paid with, or cash. */
  readonly means: CardKind | 'cash';
  readonly repeat: Repeat;
  readonly share: Share;
  /** Whether the rider has registered a webhook. */
  readonly webhook: boolean;
}

export const blockSize = Object.values(personas).reduce((sum, { share }) => sum + share, 0);

/**
 * Deals a block of 25 rides: every persona with its share, `cashShare` of them (0 to 1) in cash, some repeating
 * their request, sharing their ride, having a webhook. So whatever has a share happens in every run of 25 rides and
 * more.
 */
export function dealBlock(seed: string, block: number, cashShare: number): Card[] {
  const random = seededRandom(seed, 'deck', block);
  const dealt = random.shuffle(
    Object.entries(personas).flatMap(([persona, { share }]) =>
      Array<Persona>(share).fill(persona as Persona),
    ),
  );
  const payers = dealt.filter((persona) => wayOf(persona).card === undefined).length;
  const cash = Math.min(payers, Math.round(cashShare * blockSize));
  const means = random.shuffle(
    Array.from({ length: payers }, (_, i): Card['means'] => (i < cash ? 'cash' : 'good')),
  );
  const repeats = dealOut<Repeat>(random, 'never', { later: 3, atOnce: 3 });
  const shares = dealOut<Share>(random, 'never', { once: 3, takesBack: 3 });
  const webhooks = dealOut<'yes' | 'no'>(random, 'no', { yes: 4 });
  return dealt.map((persona, i) => ({
    persona,
    means: wayOf(persona).card ?? means.pop() ?? 'good',
    repeat: repeats[i] ?? 'never',
    share: shares[i] ?? 'never',
    webhook: webhooks[i] === 'yes',
  }));
}

/** So many of a block's rides have each of these, the others have `rest`. */
function dealOut<T extends string>(
  random: Random,
  rest: T,
  counts: Readonly<Partial<Record<T, number>>>,
): T[] {
  const some = Object.entries(counts).flatMap(([what, count]) => Array<T>(count as number).fill(what as T));
  return random.shuffle([...some, ...Array<T>(blockSize - some.length).fill(rest)]);
}
