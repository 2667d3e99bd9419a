import { chargeStepMinor } from '../../../domain/money';
import type { PaymentMethod } from '../../../domain/ride';
import { seededRandom, type Random } from '../../city/random';

/** A fault as the sandbox takes it, at `/sandbox/faults`. */
export type ProviderFault = Readonly<Record<string, unknown>>;

/** Who does something in a story, and what. What makes no sense just then is refused, which is part of the story. */
export const doings = [
  'rider answers',
  'rider tips',
  'ride raises the hold',
  'ride says that the hold ages',
  'ride ends',
  'ride is cancelled',
  'operator retries',
  'operator resolves',
  'operator refunds',
  'operator adjusts',
  'operator waives',
  'operator skips',
  'time passes',
] as const;
export type Doing = (typeof doings)[number];

/** One thing that happens to a payment. */
export interface Move {
  readonly what: Doing;
  /** In minor units, where one is needed. */
  readonly amountMinor: number;
  /** Decides the rest: yes or no, happened or not, the same key as before or another. */
  readonly coin: boolean;
  /** What befalls the provider's next requests. */
  readonly faults: readonly ProviderFault[];
  /** How much time passes for the provider, where that is what happens. */
  readonly lastsMs: number;
  /** Not: the next move comes while this one is under way. */
  readonly isWaitedFor: boolean;
}

/** A payment, all that happens to it, and nothing of what should come of it. */
export interface Story {
  readonly seed: number;
  readonly currency: string;
  readonly heldMinor: number;
  readonly method: PaymentMethod;
  readonly fallbacks: readonly PaymentMethod[];
  readonly moves: readonly Move[];
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const currencies = ['USD', 'USD', 'EUR', 'JPY', 'ISK', 'KWD'] as const;

const pays = ['pm_card_visa', 'pm_card_mastercard'];
const cards = [
  ...[...pays, ...pays, ...pays],
  'pm_card_visa_chargeDeclinedInsufficientFunds',
  'pm_card_visa_incrementDeclined',
  'pm_card_threeDSecure2Required',
  'pm_card_threeDSecureRequiredChargeDeclined',
  'pm_card_pendingRefund',
  'pm_card_refundFail',
] as const;

/** A request takes longer than our client waits for, or not quite. */
const tooLateMs = 700;
const lateMs = 250;

const paths = [
  '/v1/payment_intents',
  '/v1/payment_intents/*/confirm',
  '/v1/payment_intents/*/confirm',
  '/v1/payment_intents/*/capture',
  '/v1/payment_intents/*/capture',
  '/v1/payment_intents/*/cancel',
  '/v1/payment_intents/*/increment_authorization',
  '/v1/refunds',
] as const;

/** The same story for the same seed. */
export function storyOf(seed: number): Story {
  const random = seededRandom(seed, 'stories');
  const currency = random.pick(currencies);
  const step = chargeStepMinor(currency);
  const amount = (low: number, high: number): number => Math.round(random.between(low, high)) * step;
  const heldMinor = amount(100, 3_000);
  const some = (most: number, whats: readonly Doing[]): Move[] =>
    Array.from({ length: Math.floor(random.between(0, most + 1)) }, () =>
      move(random, random.pick(whats), amount(0, 4_000)),
    );
  const endMinor = random.pick([0, heldMinor, heldMinor, amount(1, 3_000), heldMinor + amount(1, 1_500)]);
  return {
    seed,
    currency,
    heldMinor,
    method: random.chance(0.08) ? { type: 'cash' } : card(random),
    fallbacks: random.pick([[], [], [card(random)], [card(random), { type: 'cash' }], [{ type: 'cash' }]]),
    moves: [
      // Only its faults count: the payment is opened with them.
      move(random, 'time passes', 0),
      ...some(4, before),
      move(random, 'ride ends', endMinor),
      ...some(7, after),
    ],
  };
}

const before: readonly Doing[] = [
  ...(['rider answers', 'rider answers', 'ride raises the hold', 'ride raises the hold'] as const),
  ...(['ride says that the hold ages', 'operator retries', 'operator resolves', 'time passes'] as const),
  'ride is cancelled',
];

const after: readonly Doing[] = [
  ...([
    'rider tips',
    'operator refunds',
    'operator refunds',
    'operator adjusts',
    'operator adjusts',
  ] as const),
  ...([
    'operator waives',
    'operator retries',
    'operator retries',
    'operator resolves',
    'operator skips',
  ] as const),
  'time passes',
];

const card = (random: Random): PaymentMethod => ({ type: 'card', token: random.pick(cards) });

function move(random: Random, what: Doing, amountMinor: number): Move {
  return {
    what,
    amountMinor,
    coin: random.chance(0.5),
    faults: random.chance(0.45) ? [fault(random), ...(random.chance(0.4) ? [fault(random)] : [])] : [],
    lastsMs: random.pick([MINUTE, HOUR, DAY, 8 * DAY]),
    isWaitedFor: random.chance(0.65),
  };
}

function fault(random: Random): ProviderFault {
  if (random.chance(0.25)) return webhookFault(random);
  const match = random.chance(0.2) ? {} : { method: 'POST', path: random.pick(paths) };
  const times = random.pick([1, 1, 1, 2, 3, 5]);
  switch (Math.floor(random.between(0, 8))) {
    case 0:
      return { kind: 'drop_before', match, times };
    case 1:
      return { kind: 'drop_after', match, times };
    case 2:
      return { kind: 'error500_before', match, times };
    case 3:
      return { kind: 'error500_after', match, times };
    case 4:
      return { kind: 'rate_limited', match, times, retryAfterSeconds: 1 };
    case 5:
      return { kind: 'hang_after', match, times: 1, delayMs: random.pick([lateMs, tooLateMs]) };
    case 6:
      return { kind: 'delay', match, times: 1, delayMs: random.pick([lateMs, tooLateMs]) };
    default:
      return { kind: 'declined', match: { method: 'POST', path: '/v1/payment_intents/*/confirm' }, times };
  }
}

function webhookFault(random: Random): ProviderFault {
  const kind = random.pick(['webhook_lost', 'webhook_doubled', 'webhook_delayed', 'webhook_reordered']);
  return { kind, times: random.pick([1, 3]), delayMs: random.pick([SECOND, 3 * HOUR]) };
}
