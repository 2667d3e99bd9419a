import { money } from '../domain/money';
import { capturedData, cashSettledData, chargeFailedData } from '../domain/paymentPlan';
import type { Charged } from '../domain/paymentCalls';
import type { RideOutcome } from '../domain/settlement';
import type { Compensations } from './compensation';
import type { Provider } from './provider';
import type { Settled } from './settled';
import { refusalIn } from './steps';

/** The ride's end: what is owed is taken of the hold, what that does not give is charged, and what cannot be is a debt. */
export class Charging {
  private asked = 0;
  /** Why the last charge was declined, until that was told. */
  private declined: string | null = null;

  constructor(
    private readonly settled: Settled,
    private readonly provider: Provider,
    private readonly compensations: Compensations,
  ) {}

  async settle(outcome: RideOutcome): Promise<void> {
    const { record, policies } = this.settled;
    if (record.payment.method.type === 'cash') {
      const settled = cashSettledData(record.payment, outcome, policies.commissionBasisPoints);
      await record.add('payment.cash_settled', settled);
      return;
    }
    await this.compensations.insist('capture the hold', () => this.capture(outcome));
    this.settled.begin();
    await this.compensations.insist('collect what is owed', () => this.collect(), {
      until: () => record.payment.owedMinor === 0,
    });
  }

  private async capture(outcome: RideOutcome): Promise<void> {
    const { record } = this.settled;
    const { rideId, intentId, amountMinor: heldMinor, currency } = record.payment;
    if (intentId === null) throw new Error('impossible: authorized without an intent');
    // A hold cannot give more than it holds.
    const takenMinor = Math.min(outcome.amountMinor, heldMinor);
    const summary = `Capture ${money(takenMinor, currency)} of ${money(heldMinor, currency)}`;
    try {
      await this.provider.capture(summary, { rideId, intentId, amountMinor: takenMinor });
    } catch (error) {
      if (refusalIn(error)?.type !== 'hold_gone') throw error;
      record.operators.failed(summary, error);
      return this.chargeAnew(outcome);
    }
    await record.add('payment.captured', this.captured(outcome, intentId, takenMinor));
  }

  /** The hold is gone: the same card is charged, and where it declines all of it is the rider's debt. */
  private async chargeAnew(outcome: RideOutcome): Promise<void> {
    const { record, policies } = this.settled;
    const { amountMinor } = outcome;
    const charged = await this.charge(amountMinor);
    if (charged.charged) {
      await record.add('payment.captured', this.captured(outcome, charged.intentId, amountMinor));
      return;
    }
    const { commissionBasisPoints } = policies;
    const failed = chargeFailedData(record.payment, outcome, charged.reason, commissionBasisPoints);
    await record.add('payment.charge_failed', failed);
  }

  /**
   * Asks the card for what is owed, once each time: an operator decides whether it is asked again. What operators do to
   * the debt meanwhile waits for the answer.
   */
  private async collect(): Promise<void> {
    await this.settled.undisturbed(async () => {
      const { record } = this.settled;
      const { owedMinor, currency } = record.payment;
      if (owedMinor === 0) return;
      if (this.declined === null) {
        const charged = await this.charge(owedMinor);
        if (charged.charged) {
          const { intentId } = charged;
          await record.add('payment.collected', { intentId, amountMinor: owedMinor, currency });
          return this.settled.debtPaid();
        }
      }
      const { declined } = this;
      this.declined = null;
      throw new Error(`the card was declined: ${declined}`);
    });
  }

  private async charge(amountMinor: number): Promise<Charged> {
    const { rideId, currency, method } = this.settled.record.payment;
    if (method.type === 'cash') throw new Error('impossible: cash is not charged');
    this.asked += 1;
    const charge = { rideId, amountMinor, currency, paymentMethod: method.token, attempt: this.asked };
    const charged = await this.provider.collect(`Charge ${money(amountMinor, currency)}`, charge);
    this.declined = charged.charged ? null : charged.reason;
    return charged;
  }

  private captured(outcome: RideOutcome, intentId: string, takenMinor: number) {
    const { record, policies } = this.settled;
    return capturedData(record.payment, outcome, { intentId, takenMinor }, policies.commissionBasisPoints);
  }
}
