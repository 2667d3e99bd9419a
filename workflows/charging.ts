import { money } from '../domain/money';
import { capturedData, cashSettledData, chargeFailedData } from '../domain/paymentPlan';
import type { Charged } from '../domain/paymentCalls';
import type { Policies } from '../domain/policies';
import type { RideOutcome } from '../domain/settlement';
import type { Compensations } from './compensation';
import type { PaymentRecord } from './paymentRecord';
import type { Provider } from './provider';
import { refusalIn } from './steps';

/** The ride's end: what is owed is taken of the hold, what that does not give is charged, and what cannot be is a debt. */
export class Charging {
  private asked = 0;
  /** Why the last charge was declined, until that was told. */
  private declined: string | null = null;

  constructor(
    private readonly record: PaymentRecord,
    private readonly policies: Policies,
    private readonly provider: Provider,
    private readonly compensations: Compensations,
  ) {}

  async settle(outcome: RideOutcome): Promise<void> {
    const { payment } = this.record;
    if (payment.method.type === 'cash') {
      const settled = cashSettledData(payment, outcome, this.policies.commissionBasisPoints);
      await this.record.add('payment.cash_settled', settled);
      return;
    }
    await this.compensations.insist('capture the hold', () => this.capture(outcome));
    await this.compensations.insist('collect what is owed', () => this.collect(), {
      until: () => this.record.payment.owedMinor === 0,
    });
  }

  private async capture(outcome: RideOutcome): Promise<void> {
    const { payment } = this.record;
    const { rideId, intentId, amountMinor: heldMinor, currency } = payment;
    if (intentId === null) throw new Error('impossible: authorized without an intent');
    // A hold cannot give more than it holds.
    const takenMinor = Math.min(outcome.amountMinor, heldMinor);
    const summary = `Capture ${money(takenMinor, currency)} of ${money(heldMinor, currency)}`;
    try {
      await this.provider.capture(summary, { rideId, intentId, amountMinor: takenMinor });
    } catch (error) {
      if (refusalIn(error)?.type !== 'hold_gone') throw error;
      this.record.operators.failed(summary, error);
      return this.chargeAnew(outcome);
    }
    await this.record.add('payment.captured', this.captured(outcome, intentId, takenMinor));
  }

  /** The hold is gone: the same card is charged, and where it declines all of it is the rider's debt. */
  private async chargeAnew(outcome: RideOutcome): Promise<void> {
    const { amountMinor } = outcome;
    const charged = await this.charge(amountMinor);
    if (charged.charged) {
      await this.record.add('payment.captured', this.captured(outcome, charged.intentId, amountMinor));
      return;
    }
    const { commissionBasisPoints } = this.policies;
    const failed = chargeFailedData(this.record.payment, outcome, charged.reason, commissionBasisPoints);
    await this.record.add('payment.charge_failed', failed);
  }

  /** Asks the card for what is owed, once each time: an operator decides whether it is asked again. */
  private async collect(): Promise<void> {
    const { owedMinor, currency } = this.record.payment;
    if (owedMinor === 0) return;
    if (this.declined === null) {
      const charged = await this.charge(owedMinor);
      if (charged.charged) {
        const { intentId } = charged;
        await this.record.add('payment.collected', { intentId, amountMinor: owedMinor, currency });
        return;
      }
    }
    const { declined } = this;
    this.declined = null;
    throw new Error(`the card was declined: ${declined}`);
  }

  private async charge(amountMinor: number): Promise<Charged> {
    const { rideId, currency, method } = this.record.payment;
    if (method.type === 'cash') throw new Error('impossible: cash is not charged');
    this.asked += 1;
    const charge = { rideId, amountMinor, currency, paymentMethod: method.token, attempt: this.asked };
    const charged = await this.provider.collect(`Charge ${money(amountMinor, currency)}`, charge);
    this.declined = charged.charged ? null : charged.reason;
    return charged;
  }

  private captured(outcome: RideOutcome, intentId: string, takenMinor: number) {
    const { commissionBasisPoints } = this.policies;
    return capturedData(this.record.payment, outcome, { intentId, takenMinor }, commissionBasisPoints);
  }
}
