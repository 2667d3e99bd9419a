import { defineUpdate, setHandler } from '@temporalio/workflow';
import { DomainError } from '../domain/errors';
import { isChargeable, money } from '../domain/money';
import { paymentUpdates } from '../domain/names';
import { refundableMinor, refundsOver, type RefundPart } from '../domain/paymentPlan';
import type { Refund, RefundOrder } from '../domain/sagas';
import type { Provider } from './provider';
import { refusing } from './refusal';
import type { Settled } from './settled';

/** What goes back for one key: planned once, so that what a repeat finds done is not done again. */
interface Plan {
  readonly order: RefundOrder;
  readonly parts: readonly RefundPart[];
  /** The provider's ids of the parts that have gone back. */
  readonly refundIds: string[];
  refund?: Refund;
}

/** Money that goes back to the rider: of what was charged last first, in as many refunds as there are charges. */
export class Refunds {
  private readonly plans = new Map<string, Plan>();

  constructor(
    private readonly settled: Settled,
    private readonly provider: Provider,
  ) {
    setHandler(
      defineUpdate<Refund, [RefundOrder]>(paymentUpdates.refund),
      (order) => this.settled.undisturbed(() => this.give(order)),
      {
        validator: (order: RefundOrder) =>
          refusing(() => this.settled.isInDoubt || this.known(order) || this.mustTake(order)),
        description: 'Gives back part of what was captured, once for each refundKey',
      },
    );
  }

  /**
   * Gives an amount back, once for each key; call it undisturbed.
   * @throws DomainError `refund_not_possible`, where a part was refused: those before it have gone back
   */
  async give(order: RefundOrder): Promise<Refund> {
    const plan = this.known(order) ?? this.plan(order);
    if (plan.refund) return plan.refund;
    try {
      for (const part of plan.parts.slice(plan.refundIds.length)) await this.givePart(plan, part);
    } catch (error) {
      // Nothing went back: the key may be used for another amount.
      if (plan.refundIds.length === 0) this.plans.delete(order.refundKey);
      throw error;
    }
    const { currency, refundedMinor } = this.settled.record.payment;
    const { amountMinor } = order;
    plan.refund = { refundId: plan.refundIds[0]!, amountMinor, refundedMinor, currency };
    return plan.refund;
  }

  private plan(order: RefundOrder): Plan {
    this.mustTake(order);
    const plan: Plan = {
      order,
      parts: refundsOver(this.settled.record.payment, order.amountMinor),
      refundIds: [],
    };
    this.plans.set(order.refundKey, plan);
    return plan;
  }

  private async givePart({ order, refundIds }: Plan, { intentId, amountMinor }: RefundPart): Promise<void> {
    const { record } = this.settled;
    const { rideId, currency } = record.payment;
    // The first has the order's own key; each is asked for under its own.
    const refundKey = refundIds.length === 0 ? order.refundKey : `${order.refundKey}/${refundIds.length + 1}`;
    const ask = { rideId, intentId, refundKey, amountMinor, currency };
    const answer = await this.provider.refund(`Refund ${money(amountMinor, currency)}`, ask);
    if (!answer.refunded) throw new DomainError('refund_not_possible', answer.reason);
    const { refundId } = answer;
    const { reason } = order;
    await record.add('payment.refunded', { refundId, amountMinor, currency, reason, intentId });
    refundIds.push(refundId);
  }

  /** What this key was used for: done, or to be gone on with. */
  private known({ refundKey, amountMinor, reason }: RefundOrder): Plan | undefined {
    const known = this.plans.get(refundKey);
    if (known && (known.order.amountMinor !== amountMinor || known.order.reason !== reason))
      throw new DomainError('idempotency_key_reused', 'This key was used for another refund.');
    return known;
  }

  private mustTake({ amountMinor }: RefundOrder): true {
    const { record } = this.settled;
    if (!record.is('captured', 'partially_refunded'))
      throw new DomainError('refund_not_possible', 'Nothing was captured, or all of it is refunded.');
    const leftMinor = refundableMinor(record.payment);
    if (!isChargeable(amountMinor, record.payment.currency) || amountMinor > leftMinor)
      throw new DomainError('refund_not_possible', `At most ${leftMinor} can be refunded.`, { leftMinor });
    if (!this.settled.takesRefunds)
      throw new DomainError('refund_not_possible', 'The time for refunds is over.');
    return true;
  }
}
