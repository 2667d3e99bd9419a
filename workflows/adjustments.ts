import { defineUpdate, setHandler } from '@temporalio/workflow';
import { DomainError } from '../domain/errors';
import { chargeStepMinor, money } from '../domain/money';
import { paymentUpdates } from '../domain/names';
import type { Payment } from '../domain/payment';
import {
  adjustmentTo,
  extraChargedData,
  refundableMinor,
  refundsOver,
  sumOf,
  type RefundPart,
} from '../domain/paymentPlan';
import type { ChargeAdjustment, FeeWaiver } from '../domain/sagas';
import type { Provider } from './provider';
import type { Refunds } from './refunds';
import { refusing } from './refusal';
import type { Settled } from './settled';
import { requireShape } from './updateArguments';

/** Why something was done, and which operator did it. */
type Word = Pick<FeeWaiver, 'reason' | 'by'>;

/**
 * What operators change about a ride's cost when it is over: another amount, or a fee that is given up. What goes back
 * comes first: where the provider refuses that, no debt is gone, and all of it can be asked for again.
 */
export class Adjustments {
  private readonly adjusted = new Map<string, ChargeAdjustment>();
  private hasWaived = false;
  private extrasAsked = 0;
  private refundsAsked = 0;

  constructor(
    private readonly settled: Settled,
    private readonly provider: Provider,
    private readonly refunds: Refunds,
  ) {
    const { adjustCharge, waiveFee } = paymentUpdates;
    setHandler(
      defineUpdate<Payment, [ChargeAdjustment]>(adjustCharge),
      (adjustment) => this.settled.inTurn(() => this.adjust(adjustment)),
      {
        validator: (adjustment: ChargeAdjustment) =>
          refusing(() => {
            const shape = { adjustmentKey: 'id', toMinor: 'minor', reason: 'text', by: 'person' } as const;
            requireShape(adjustCharge, shape, adjustment);
            if (!this.settled.isInDoubt && !this.isAdjusted(adjustment)) this.mustAdjust(adjustment);
            this.settled.refuseMore();
          }),
        description: 'Operator: what the ride shall have cost; gives back, or charges beside',
      },
    );
    setHandler(
      defineUpdate<Payment, [FeeWaiver]>(waiveFee),
      (waiver) => this.settled.inTurn(() => this.waiveAll(waiver)),
      {
        validator: (waiver: FeeWaiver) =>
          refusing(() => {
            requireShape(waiveFee, { reason: 'text', by: 'person' }, waiver);
            if (!this.settled.isInDoubt && !this.isWaived) this.mustWaive();
            this.settled.refuseMore();
          }),
        description: 'Operator: gives up what is owed, and gives back a cancellation or no-show fee',
      },
    );
  }

  private async adjust(adjustment: ChargeAdjustment): Promise<Payment> {
    const { record } = this.settled;
    const { adjustmentKey, toMinor } = adjustment;
    if (this.isAdjusted(adjustment)) return record.payment;
    this.mustAdjust(adjustment);
    const { waiveMinor, refunds, chargeMinor } = adjustmentTo(record.payment, toMinor);
    await this.giveBack(refunds, `adjust/${adjustmentKey}`, adjustment);
    if (waiveMinor > 0) await this.waive(waiveMinor, adjustment);
    if (chargeMinor > 0) await this.chargeExtra(chargeMinor, adjustment);
    this.adjusted.set(adjustmentKey, adjustment);
    return record.payment;
  }

  /** What was waived, and is asked for again, is waived; what is owed or was taken since then is waived anew. */
  private async waiveAll(waiver: FeeWaiver): Promise<Payment> {
    const { record } = this.settled;
    if (this.isWaived) return record.payment;
    this.mustWaive();
    await this.giveBack(refundsOver(record.payment, feeTakenMinor(record.payment)), 'waiver', waiver);
    const { owedMinor } = record.payment;
    if (owedMinor > 0) await this.waive(owedMinor, waiver);
    this.hasWaived = true;
    return record.payment;
  }

  /** Whether nothing is left of what was to be waived. */
  private get isWaived(): boolean {
    const { payment } = this.settled.record;
    return this.hasWaived && payment.owedMinor === 0 && feeTakenMinor(payment) === 0;
  }

  private async waive(amountMinor: number, { reason, by }: Word): Promise<void> {
    const { currency } = this.settled.record.payment;
    await this.settled.record.add('payment.waived', { amountMinor, currency, reason, operatorId: by });
  }

  private async giveBack(
    parts: readonly RefundPart[],
    refundKey: string,
    { reason, by }: Word,
  ): Promise<void> {
    const amountMinor = sumOf(parts);
    if (amountMinor === 0) return;
    // What was refused did not happen: asked for again, it is another amount, and another refund.
    this.refundsAsked += 1;
    await this.refunds.give({ refundKey: `${refundKey}/${this.refundsAsked}`, amountMinor, reason, by });
  }

  private async chargeExtra(amountMinor: number, { reason, by }: Word): Promise<void> {
    const { record, policies } = this.settled;
    const { rideId, currency, method } = record.payment;
    if (method.type === 'cash') throw new Error('impossible: captured in cash');
    this.extrasAsked += 1;
    const extra = { rideId, amountMinor, currency, paymentMethod: method.token, attempt: this.extrasAsked };
    const summary = `Charge ${money(amountMinor, currency)} more`;
    const charged = await this.provider.chargeExtra(summary, extra);
    if (!charged.charged)
      throw new DomainError('adjust_not_possible', 'The card was declined.', { reason: charged.reason });
    const charge = { intentId: charged.intentId, amountMinor, reason, operatorId: by };
    const data = extraChargedData(record.payment, charge, policies.commissionBasisPoints);
    await record.add('payment.extra_charged', data);
  }

  private isAdjusted({ adjustmentKey, toMinor, reason }: ChargeAdjustment): boolean {
    const known = this.adjusted.get(adjustmentKey);
    if (known && (known.toMinor !== toMinor || known.reason !== reason))
      throw new DomainError('idempotency_key_reused', 'This key was used for another adjustment.');
    return known !== undefined;
  }

  private mustAdjust({ toMinor }: ChargeAdjustment): true {
    const { record } = this.settled;
    if (!record.is('captured', 'partially_refunded', 'refunded', 'owed'))
      throw new DomainError('adjust_not_possible', 'Nothing was charged to a card for this ride.');
    if (!this.settled.takesRefunds)
      throw new DomainError('adjust_not_possible', 'The time for adjustments is over.');
    if (toMinor % chargeStepMinor(record.payment.currency) !== 0)
      throw new DomainError('adjust_not_possible', 'No card can be charged such an amount.');
    if (record.is('owed') && adjustmentTo(record.payment, toMinor).chargeMinor > 0)
      throw new DomainError('adjust_not_possible', 'The rider owes for this ride: collect that first.');
    return true;
  }

  private mustWaive(): true {
    const { record } = this.settled;
    const { owedMinor } = record.payment;
    if (owedMinor === 0 && feeTakenMinor(record.payment) === 0)
      throw new DomainError('waive_not_possible', 'Nothing is owed, and no fee was taken for this ride.');
    if (!this.settled.takesRefunds) throw new DomainError('waive_not_possible', 'The time for that is over.');
    return true;
  }
}

/** What was taken for a fee and is not given back yet. */
const feeTakenMinor = (payment: Payment): number =>
  payment.chargedFor === 'fare' ? 0 : refundableMinor(payment);
