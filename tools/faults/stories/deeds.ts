import type { WorkflowHandle } from '@temporalio/client';
import { v7 as uuidv7 } from 'uuid';
import { operatorUpdates, paymentSignals, paymentUpdates } from '../../../domain/names';
import type { Payment } from '../../../domain/payment';
import { costMinor } from '../../../domain/paymentPlan';
import type { OperatorsWord } from '../../../domain/sagas';
import type { RideOutcome } from '../../../domain/settlement';
import { getPayment } from '../../../services/payments/books/paymentStore';
import { providerBooks } from '../providerBooks';
import { seenAtProvider, tellProvider, type StoryProvider } from './provider';
import type { Doing, Move, Story } from './story';
import type { World } from './world';

/** A story under way: who is in it, and what they were told. */
export interface Cast {
  readonly world: World;
  readonly provider: StoryProvider;
  readonly story: Story;
  readonly rideId: string;
  readonly handle: WorkflowHandle;
  /** The ride's last word, once it is said. */
  outcome: RideOutcome | undefined;
  tips: number[];
  /** By key: what was asked back, and whether it was said to be given. */
  readonly refunds: Map<string, { readonly amountMinor: number; isGiven: boolean }>;
  keys: number;
  /** Answers that do not fit. */
  readonly wrong: string[];
}

export type Deed = (cast: Cast, move: Move) => Promise<unknown>;

const driverId = 'driver-1';
const by = 'operator-1';
const reason = 'a story';

/** What each of them does. One that is refused throws. */
export const deeds: Readonly<Record<Doing, Deed>> = {
  async 'rider answers'({ world, provider, rideId }, { coin }) {
    const intentId = (await getPayment(world.pool, rideId))?.intentId;
    if (!intentId) return 'nobody asks';
    const body = { outcome: coin ? 'succeeded' : 'failed' };
    await tellProvider(provider.url, `/payment_intents/${intentId}/authenticate`, { body });
    return body.outcome;
  },
  async 'rider tips'(cast, { amountMinor }) {
    const { tipMinor } = await update<{ tipMinor: number }>(cast, paymentUpdates.tip, { amountMinor });
    cast.tips.push(tipMinor);
    if (tipMinor !== amountMinor) cast.wrong.push(`a tip of ${amountMinor} was answered with ${tipMinor}`);
  },
  async 'ride raises the hold'(cast, { amountMinor }) {
    const toMinor = cast.story.heldMinor + Math.floor(amountMinor / 4);
    return update(cast, paymentUpdates.raiseHold, { changeId: uuidv7(), toMinor });
  },
  'ride says that the hold ages': ({ handle }) => handle.signal(paymentSignals.holdAges),
  async 'ride ends'(cast, { amountMinor, coin }) {
    if (cast.outcome !== undefined) return;
    const taxMinor = Math.floor(amountMinor / 11);
    cast.outcome = { amountMinor, driverId, taxMinor, for: coin ? 'fare' : 'cancellation_fee' };
    await cast.handle.signal(paymentSignals.rideEnded, cast.outcome);
  },
  'ride is cancelled': ({ handle }) => handle.cancel(),
  'operator retries': (cast) => update(cast, paymentUpdates.retryNow),
  async 'operator resolves'(cast, { coin }) {
    const payment = await getPayment(cast.world.pool, cast.rideId);
    if (!payment?.unresolved) return 'nothing is in doubt';
    const books = await providerBooks(cast.provider.url, cast.rideId);
    const known = await refundsOf(cast);
    const seen = seenAtProvider(payment, books, known);
    // Who looks too early says what is not so any more.
    if (seen === null && coin) return 'nothing is seen';
    const word: OperatorsWord = { ...(seen ?? { outcome: 'did_not_happen' }), evidence: 'its desk', by };
    await update(cast, paymentUpdates.markResolved, word);
    return word;
  },
  async 'operator refunds'(cast, { amountMinor, coin }) {
    const again = coin ? [...cast.refunds].at(-1) : undefined;
    if (again === undefined) cast.keys += 1;
    const refundKey = again?.[0] ?? `refund-${cast.keys}`;
    const asked = again?.[1] ?? { amountMinor: Math.ceil(amountMinor / 2), isGiven: false };
    cast.refunds.set(refundKey, asked);
    const order = { refundKey, amountMinor: asked.amountMinor, reason: refundKey, by };
    const given = await update<{ amountMinor: number }>(cast, paymentUpdates.refund, order);
    asked.isGiven = true;
    if (given.amountMinor !== asked.amountMinor)
      cast.wrong.push(`a refund of ${asked.amountMinor} was answered with ${given.amountMinor}`);
  },
  async 'operator adjusts'(cast, { amountMinor: toMinor }) {
    cast.keys += 1;
    const adjustment = { adjustmentKey: `adjustment-${cast.keys}`, toMinor, reason, by };
    const after = costMinor(await update<Payment>(cast, paymentUpdates.adjustCharge, adjustment));
    if (after !== toMinor) cast.wrong.push(`adjusted to ${toMinor}, the ride costs ${after}`);
  },
  async 'operator waives'(cast) {
    const { owedMinor } = await update<Payment>(cast, paymentUpdates.waiveFee, { reason, by });
    if (owedMinor !== 0) cast.wrong.push(`${owedMinor} is owed after all was waived`);
  },
  'operator skips': (cast) => update(cast, operatorUpdates.skipCompensation),
  'time passes': ({ provider }, { lastsMs }) =>
    tellProvider(provider.url, '/clock', { body: { advanceMs: lastsMs } }),
};

const update = <T>({ handle }: Cast, name: string, argument: object = {}): Promise<T> =>
  handle.executeUpdate<T, [object]>(name, { args: [argument] });

async function refundsOf({ world, rideId }: Cast): Promise<number> {
  const { rows } = await world.pool.query<{ count: number }>(
    `select count(*)::integer as count from steps where aggregate_id = $1 and fact_type = 'payment.refunded'`,
    [rideId],
  );
  return rows[0]!.count;
}
