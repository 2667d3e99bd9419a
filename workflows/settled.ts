import { CancellationScope, condition, sleep } from '@temporalio/workflow';
import { settledPaymentStatuses } from '../domain/payment';
import type { Policies } from '../domain/policies';
import { paymentChanges } from './atMost';
import { createLock } from './lock';
import type { PaymentRecord } from './paymentRecord';
import { asRefusal } from './refusal';

/**
 * A payment whose ride is over: what can still happen to it, a debt's charge among it, happens one after another, and
 * while its time lasts.
 */
export class Settled {
  private readonly oneAtATime = createLock();
  private readonly changes = paymentChanges(5);
  private settledAtMs: number | undefined;
  private chargedAtMs: number | undefined;

  constructor(
    readonly record: PaymentRecord,
    readonly policies: Policies,
  ) {}

  /** What could be had for the ride was taken, and the rest is a debt: the time for tips begins, and that for refunds. */
  begin(): void {
    this.settledAtMs = Date.now();
    this.chargedAtMs = this.settledAtMs;
  }

  /** A debt was paid: what was charged for it can be given back for as long as all else. */
  debtPaid(): void {
    this.chargedAtMs = Date.now();
  }

  /** Waits for as long as something can come; a payment that took nothing from a card has no such time. */
  async window(): Promise<void> {
    if (this.record.payment.capturedMinor === 0) return;
    const untilMs = Math.max(this.tipsUntilMs, this.refundsUntilMs);
    const until = new Date(untilMs).toISOString();
    this.record.operators.waits(`a tip or a refund, until ${until} at the latest`);
    await sleep(Math.max(1, untilMs - Date.now()), { summary: 'Time for tips and refunds' });
  }

  /** One after another, and to its end: money that has moved is recorded, whoever cancels. */
  async undisturbed<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await CancellationScope.nonCancellable(() => this.oneAtATime(task));
    } catch (error) {
      throw asRefusal(error);
    }
  }

  /** For an operator's Update that changes what was charged: a few of them wait in turn; the validator refuses more. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    return this.changes.during(() => this.undisturbed(task));
  }

  /** @throws ApplicationFailure `payment_busy` where too many wait in turn */
  refuseMore(): void {
    this.changes.refuseMore();
  }

  /** Somebody may be quicker than the capture. A payment that cannot be settled is not waited for. */
  async untilSettled(): Promise<void> {
    await condition(() => this.isSettled || this.settledAtMs !== undefined);
  }

  get isSettled(): boolean {
    return this.record.is(...settledPaymentStatuses);
  }

  /** A call after the ride is in doubt: whoever comes next waits for what it leads to. */
  get isInDoubt(): boolean {
    return this.record.is('unresolved') && this.settledAtMs !== undefined;
  }

  /** Decided by comparing times, as below: the timer that ends the window may be late. */
  get takesTips(): boolean {
    return Date.now() < this.tipsUntilMs;
  }

  /**
   * Whether it is time for refunds, and for whatever else operators change. A debt has no end of its own: for as long as
   * there is one they may settle it, and give back what was taken.
   */
  get takesRefunds(): boolean {
    return this.record.payment.owedMinor > 0 || Date.now() < this.refundsUntilMs;
  }

  private get tipsUntilMs(): number {
    return (this.settledAtMs ?? Date.now()) + this.policies.tipWindowMs;
  }

  private get refundsUntilMs(): number {
    return (this.chargedAtMs ?? Date.now()) + this.policies.refundWindowMs;
  }
}
