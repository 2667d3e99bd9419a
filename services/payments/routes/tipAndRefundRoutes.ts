import { operations } from '../../../contracts/api/operations';
import type { RefundView, TipView } from '../../../contracts/api/rides';
import { DomainError } from '../../../domain/errors';
import type { PaymentFact } from '../../../domain/paymentFacts';
import type { Ride } from '../../../domain/ride';
import type { Refund, RefundOrder, Tip } from '../../../domain/sagas';
import type { Caller, MountOperation } from '../../../platform/http';
import { stepsOf } from '../../../platform/outbox';
import type { Pool, Queryable } from '../../../platform/postgres';
import { getPayment } from '../books/paymentStore';
import { askedBefore, askOnce, askPayment, hashOf, type AskPaymentOptions } from './askPayment';
import { callersKey } from './callersKey';
import { refundGiven } from './refundGiven';

export interface PaymentRoutesOptions extends AskPaymentOptions {
  readonly payments: Pool;
  /** The ride, if the caller may see it; rejects with `ride_not_found` otherwise. */
  readonly rideOf: (caller: Caller, rideId: string) => Promise<Ride>;
}

/** Tips by riders and refunds by operators: both are asked of the payment's workflow. Both are safe to repeat. */
export function createPaymentRoutes(mount: MountOperation, options: PaymentRoutesOptions): void {
  const { payments, rideOf } = options;

  mount(operations.tipRide, async ({ params, body, caller }) => {
    const { rideId, status } = await rideOf(caller, params.rideId);
    if (status !== 'completed')
      throw new DomainError('tip_not_possible', 'A tip goes with a completed ride.', {
        rideStatus: status,
      });
    // A workflow takes 2,000 Updates in its life: a repeat is answered from what is committed.
    const given = await tipGiven(payments, rideId, body.amountMinor);
    const tip = given ?? (await askForTip(rideId, body));
    return { status: 200, body: { rideId, ...tip } satisfies TipView };
  });

  mount(operations.refundRide, async ({ params, headers, body, caller }) => {
    const { rideId } = await rideOf(caller, params.rideId);
    const key = headers['idempotency-key'];
    const order: RefundOrder = { refundKey: callersKey(caller, key), ...body, by: caller.sub };
    const steps = await stepsOf<PaymentFact>(payments, rideId);
    const given = refundGiven(
      steps.map(({ fact }) => fact),
      order,
    );
    const refund = given ?? (await give(rideId, order, { refundKey: `${caller.sub}:${key}`, ...body }));
    return { status: 201, body: { rideId, ...refund } satisfies RefundView };
  });

  const askForTip = (rideId: string, argument: Tip): Promise<TipGiven> =>
    askPayment<TipGiven, Tip>(options, {
      rideId,
      update: 'tip',
      argument,
      whenOver: () => {
        throw new DomainError('tip_not_possible', 'The time for a tip is over, or nothing was paid by card.');
      },
    });

  /**
   * What was refused half way goes on under its key where the refusal was.
   *
   * `inClear` is how a payment was asked that began before keys were hashed: one that was asked so has its answer by
   * that, and what of it went back by that key.
   */
  async function give(rideId: string, order: RefundOrder, inClear: Omit<RefundOrder, 'by'>): Promise<Refund> {
    const before = await askedBefore<Refund>(options, { rideId, updateId: hashOf(inClear) });
    if (before && 'answer' in before) return before.answer;
    const argument = before ? { ...order, ...inClear } : order;
    return askOnce<Refund, RefundOrder>(options, {
      rideId,
      update: 'refund',
      argument,
      whenOver: () => {
        throw new DomainError(
          'refund_not_possible',
          'The time for refunds is over, or nothing was captured.',
        );
      },
    });
  }
}

type TipGiven = Omit<TipView, 'rideId'>;

/** @throws DomainError `tip_already_given` where it was another */
async function tipGiven(db: Queryable, rideId: string, amountMinor: number): Promise<TipGiven | undefined> {
  const payment = await getPayment(db, rideId);
  if (payment === null || payment.tipMinor === 0) return undefined;
  const { tipMinor, currency } = payment;
  if (tipMinor !== amountMinor)
    throw new DomainError('tip_already_given', 'A tip was given for this ride.', { tipMinor });
  return { tipMinor, currency };
}
