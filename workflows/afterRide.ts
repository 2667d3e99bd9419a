import { CancellationScope, condition, defineUpdate, setHandler, sleep } from '@temporalio/workflow';
import { DomainError } from '../domain/errors';
import { money } from '../domain/money';
import { paymentUpdates } from '../domain/names';
import { settledPaymentStatuses } from '../domain/payment';
import type { Policies } from '../domain/policies';
import type { Refund, RefundOrder, Tip } from '../domain/sagas';
import { createLock } from './lock';
import type { PaymentRecord } from './paymentRecord';
import type { Provider } from './provider';
import { asRefusal } from './refusal';

/** What a tip came to, in minor units. */
interface TipGiven {
  readonly tipMinor: number;
  readonly currency: string;
}

/** Tips and refunds: what can still happen to a payment when its ride is over, for as long as the policies say. */
export class AfterRide {
  private readonly oneAtATime = createLock();
  private readonly refunds = new Map<string, { order: RefundOrder; refund: Refund }>();
  private settledAtMs: number | undefined;
  private tipsAsked = 0;

  constructor(
    private readonly record: PaymentRecord,
    private readonly policies: Policies,
    private readonly provider: Provider,
  ) {
    // What can be refused without waiting is refused by the validator: that leaves nothing in the history, and the
    // same request may succeed later.
    setHandler(defineUpdate<TipGiven, [Tip]>(paymentUpdates.tip), (tip) => this.tip(tip), {
      validator: (tip: Tip) => refusing(() => this.isSettled && this.mustTakeTip(tip)),
      description: 'A tip after the ride: a charge of its own, given once',
    });
    setHandler(defineUpdate<Refund, [RefundOrder]>(paymentUpdates.refund), (order) => this.refund(order), {
      validator: (order: RefundOrder) =>
        refusing(() => this.refundGiven(order) ?? this.mustTakeRefund(order)),
      description: 'Gives back part of what was captured, once for each refundKey',
    });
  }

  /** Waits for as long as tips or refunds can come; a payment that took nothing from a card has no such time. */
  async window(): Promise<void> {
    this.settledAtMs = Date.now();
    if (!this.hasCharge) return;
    const { tipWindowMs, refundWindowMs } = this.policies;
    const windowMs = Math.max(tipWindowMs, refundWindowMs);
    const until = new Date(this.settledAtMs + windowMs).toISOString();
    this.record.operators.waits(`a tip or a refund, until ${until} at the latest`);
    await sleep(windowMs, { summary: 'Time for tips and refunds' });
  }

  private async tip({ amountMinor }: Tip): Promise<TipGiven> {
    // A rider may be quicker than the capture.
    await condition(() => this.isSettled);
    return this.undisturbed(async () => {
      const { rideId, currency, tipMinor, method, driverId } = this.mustTakeTip({ amountMinor });
      if (tipMinor > 0) return { tipMinor, currency };
      if (method.type === 'cash') throw notForTips();
      this.tipsAsked += 1;
      const tip = { rideId, amountMinor, currency, paymentMethod: method.token, attempt: this.tipsAsked };
      const summary = `Charge a tip of ${money(amountMinor, currency)}`;
      const charged = await this.provider.chargeTip(summary, tip);
      if (!charged.charged)
        throw new DomainError('tip_declined', 'The card was declined.', { reason: charged.reason });
      const { intentId } = charged;
      await this.record.add('payment.tip_charged', { intentId, tipMinor: amountMinor, currency, driverId });
      return { tipMinor: amountMinor, currency };
    });
  }

  private async refund(order: RefundOrder): Promise<Refund> {
    return this.undisturbed(async () => {
      const known = this.refundGiven(order);
      if (known) return known;
      const { rideId, currency, intentId } = this.mustTakeRefund(order);
      if (intentId === null) throw new Error('impossible: captured without an intent');
      const { refundKey, amountMinor, reason } = order;
      const summary = `Refund ${money(amountMinor, currency)}`;
      const ask = { rideId, intentId, refundKey, amountMinor };
      const answer = await this.provider.refund(summary, ask);
      if (!answer.refunded) throw new DomainError('refund_not_possible', answer.reason);
      const { refundId } = answer;
      const { refundedMinor } = await this.record.add('payment.refunded', {
        refundId,
        amountMinor,
        currency,
        reason,
      });
      const refund = { refundId, amountMinor, refundedMinor, currency };
      this.refunds.set(refundKey, { order, refund });
      return refund;
    });
  }

  /** One after another, and to its end: money that has moved is recorded, whoever cancels. */
  private async undisturbed<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await CancellationScope.nonCancellable(() => this.oneAtATime(task));
    } catch (error) {
      throw asRefusal(error);
    }
  }

  /** The payment, if a tip of this amount may be charged or was given already. */
  private mustTakeTip({ amountMinor }: Tip) {
    const { payment } = this.record;
    if (payment.tipMinor === amountMinor && amountMinor > 0) return payment;
    if (payment.tipMinor > 0) throw new DomainError('tip_already_given', 'A tip was given for this ride.');
    if (!isAmount(amountMinor) || !this.record.is('captured', 'partially_refunded')) throw notForTips();
    if (!this.isWithin(this.policies.tipWindowMs))
      throw new DomainError('tip_not_possible', 'The time for a tip is over.');
    return payment;
  }

  private refundGiven({ refundKey, amountMinor, reason }: RefundOrder): Refund | undefined {
    const known = this.refunds.get(refundKey);
    if (known && (known.order.amountMinor !== amountMinor || known.order.reason !== reason))
      throw new DomainError('idempotency_key_reused', 'This key was used for another refund.');
    return known?.refund;
  }

  private mustTakeRefund({ amountMinor }: RefundOrder) {
    if (!this.record.is('captured', 'partially_refunded'))
      throw new DomainError('refund_not_possible', 'Nothing was captured, or all of it is refunded.');
    const { payment } = this.record;
    const leftMinor = payment.capturedMinor - payment.refundedMinor;
    if (!isAmount(amountMinor) || amountMinor > leftMinor)
      throw new DomainError('refund_not_possible', `At most ${leftMinor} can be refunded.`, { leftMinor });
    if (!this.isWithin(this.policies.refundWindowMs))
      throw new DomainError('refund_not_possible', 'The time for refunds is over.');
    return payment;
  }

  private get isSettled(): boolean {
    return this.record.is(...settledPaymentStatuses);
  }

  private get hasCharge(): boolean {
    return this.record.is('captured', 'partially_refunded', 'refunded');
  }

  /** Decided by comparing times: the timer that ends the window may be late. */
  private isWithin(windowMs: number): boolean {
    return Date.now() < (this.settledAtMs ?? Date.now()) + windowMs;
  }
}

const isAmount = (amountMinor: number): boolean => Number.isSafeInteger(amountMinor) && amountMinor > 0;

const notForTips = (): DomainError =>
  new DomainError('tip_not_possible', 'A tip takes a completed ride that was paid by card.');

function refusing(check: () => unknown): void {
  try {
    check();
  } catch (error) {
    throw asRefusal(error);
  }
}
