import { money } from '../domain/money';
import { capturedData, cashSettledData, chargeFailedData, excessMinor } from '../domain/paymentPlan';
import { tooSmall, type Charged, type TakenOtherwise } from '../domain/paymentCalls';
import type { RideOutcome } from '../domain/settlement';
import type { Compensations } from './compensation';
import type { Provider } from './provider';
import type { Refunds } from './refunds';
import { takenOtherwise } from './refusal';
import type { Settled } from './settled';
import { refusalIn } from './steps';

/** The ride's end: what is owed is taken of the hold, what that does not give is charged, and what cannot be is a debt. */
export class Charging {
  private asked = 0;
  /** Why nothing could be taken the last time, until that was told. */
  private refused: string | null = null;
  private excessMinor = 0;

  constructor(
    private readonly settled: Settled,
    private readonly provider: Provider,
    private readonly refunds: Refunds,
    private readonly compensations: Compensations,
  ) {}

  async settle(outcome: RideOutcome): Promise<void> {
    const { record, policies } = this.settled;
    if (record.payment.method.type === 'cash') {
      const settled = cashSettledData(record.payment, outcome, policies.commissionBasisPoints);
      await record.add('payment.cash_settled', settled);
      return;
    }
    await this.compensations.insist('capture the hold', () => this.capture(outcome), {
      skip: {
        means: 'the hold is released, and all that is owed is a debt, which you collect or waive then',
        does: () => this.releaseInstead(outcome, 'capture_skipped'),
      },
    });
    await this.settleRest();
  }

  /** Books what somebody else has taken of the hold, and gives back what of it is not owed. */
  async settleTaken(outcome: RideOutcome, taken: TakenOtherwise): Promise<void> {
    await this.bookTaken(outcome, taken);
    await this.settleRest();
  }

  private async settleRest(): Promise<void> {
    this.settled.begin();
    await this.compensations.insist('give back what was taken too much', () => this.giveBackExcess(), {
      skip: { means: 'it stays, until somebody refunds it', does: () => Promise.resolve() },
      until: () => this.excessLeftMinor === 0,
    });
    await this.compensations.insist('collect what is owed', () => this.collect(), {
      skip: { means: 'the debt is written off', does: () => this.giveUp('written_off') },
      until: () => this.settled.record.payment.owedMinor === 0,
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
      const taken = takenOtherwise(error);
      const code = refusalIn(error)?.type;
      if (taken === undefined && code !== 'hold_gone' && code !== tooSmall) throw error;
      record.operators.failed(summary, error);
      if (taken !== undefined) return this.bookTaken(outcome, taken);
      return code === tooSmall ? this.releaseInstead(outcome, tooSmall) : this.chargeAnew(outcome);
    }
    await this.bookTaken(outcome, { intentId, takenMinor });
  }

  private async bookTaken(outcome: RideOutcome, taken: TakenOtherwise): Promise<void> {
    const { record, policies } = this.settled;
    const captured = capturedData(record.payment, outcome, taken, policies.commissionBasisPoints);
    await record.add('payment.captured', captured);
    this.excessMinor = excessMinor(captured);
  }

  /** The hold is gone: the same card is charged, and where it declines all of it is the rider's debt. */
  private async chargeAnew(outcome: RideOutcome): Promise<void> {
    const { amountMinor } = outcome;
    const charged = await this.charge(amountMinor);
    if (charged.charged)
      await this.bookTaken(outcome, { intentId: charged.intentId, takenMinor: amountMinor });
    else await this.bookDebt(outcome, charged.reason);
  }

  /** Nothing is taken of the hold, which goes: all of it is the rider's debt. */
  private async releaseInstead(outcome: RideOutcome, reason: string): Promise<void> {
    const { rideId, amountMinor, currency } = this.settled.record.payment;
    try {
      await this.provider.voidHold(`Release the hold of ${money(amountMinor, currency)}`, rideId);
    } catch (error) {
      const taken = takenOtherwise(error);
      if (taken === undefined) throw error;
      return this.bookTaken(outcome, taken);
    }
    await this.bookDebt(outcome, reason);
  }

  private async bookDebt(outcome: RideOutcome, reason: string): Promise<void> {
    const { record, policies } = this.settled;
    const failed = chargeFailedData(record.payment, outcome, reason, policies.commissionBasisPoints);
    await record.add('payment.charge_failed', failed);
    this.refused = reason;
  }

  /** Whoever has given back something since, an operator by an adjustment or at the provider, has given back of it. */
  private get excessLeftMinor(): number {
    return Math.max(0, this.excessMinor - this.settled.record.payment.refundedMinor);
  }

  private async giveBackExcess(): Promise<void> {
    await this.settled.undisturbed(async () => {
      const amountMinor = this.excessLeftMinor;
      if (amountMinor === 0) return;
      await this.refunds.give({ refundKey: 'excess', amountMinor, reason: 'taken_too_much' });
    });
  }

  /**
   * Asks the card for what is owed, once each time: an operator decides whether it is asked again. What operators do to
   * the debt meanwhile waits for the answer. Less than the provider charges is given up.
   */
  private async collect(): Promise<void> {
    const refused = await this.settled.undisturbed(() => this.collectOnce());
    if (refused === tooSmall) return this.giveUp(tooSmall);
    if (refused !== null) throw new Error(`nothing was taken: ${refused}`);
  }

  private async collectOnce(): Promise<string | null> {
    const { record } = this.settled;
    const { owedMinor, currency } = record.payment;
    const { refused } = this;
    this.refused = null;
    if (owedMinor === 0 || refused !== null) return owedMinor === 0 ? null : refused;
    const charged = await this.charge(owedMinor);
    if (!charged.charged) return charged.reason;
    const { intentId } = charged;
    await record.add('payment.collected', { intentId, amountMinor: owedMinor, currency });
    this.settled.debtPaid();
    return null;
  }

  private async giveUp(reason: string): Promise<void> {
    await this.settled.undisturbed(async () => {
      const { owedMinor: amountMinor, currency } = this.settled.record.payment;
      if (amountMinor > 0) await this.settled.record.add('payment.waived', { amountMinor, currency, reason });
    });
  }

  private charge(amountMinor: number): Promise<Charged> {
    const { rideId, currency, method } = this.settled.record.payment;
    if (method.type === 'cash') throw new Error('impossible: cash is not charged');
    this.asked += 1;
    const charge = { rideId, amountMinor, currency, paymentMethod: method.token, attempt: this.asked };
    return this.provider.collect(`Charge ${money(amountMinor, currency)}`, charge);
  }
}
