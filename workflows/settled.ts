import { CancellationScope, condition, sleep } from '@temporalio/workflow';
import { settledPaymentStatuses } from '../domain/payment';
import type { Policies } from '../domain/policies';
import { createLock } from './lock';
import type { PaymentRecord } from './paymentRecord';
import { asRefusal } from './refusal';

/** A payment whose ride is over: what can still happen to it happens one after another, and while its time lasts. */
export class Settled {
  private readonly oneAtATime = createLock();
  private settledAtMs: number | undefined;

  constructor(
    readonly record: PaymentRecord,
    readonly policies: Policies,
  ) {}

  /** Waits for as long as something can come; a payment that took nothing from a card has no such time. */
  async window(): Promise<void> {
    this.settledAtMs = Date.now();
    if (this.record.payment.capturedMinor === 0) return;
    const { tipWindowMs, refundWindowMs } = this.policies;
    const windowMs = Math.max(tipWindowMs, refundWindowMs);
    const until = new Date(this.settledAtMs + windowMs).toISOString();
    this.record.operators.waits(`a tip or a refund, until ${until} at the latest`);
    await sleep(windowMs, { summary: 'Time for tips and refunds' });
  }

  /** One after another, and to its end: money that has moved is recorded, whoever cancels. */
  async undisturbed<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await CancellationScope.nonCancellable(() => this.oneAtATime(task));
    } catch (error) {
      throw asRefusal(error);
    }
  }

  /** Somebody may be quicker than the capture. A payment that cannot be settled is not waited for. */
  async untilSettled(): Promise<void> {
    await condition(() => this.isSettled || this.record.is('owed') || this.settledAtMs !== undefined);
  }

  get isSettled(): boolean {
    return this.record.is(...settledPaymentStatuses);
  }

  /** A call after the ride is in doubt: whoever comes next waits for what it leads to. */
  get isInDoubt(): boolean {
    return this.record.is('unresolved') && this.record.payment.capturedMinor > 0;
  }

  /** Decided by comparing times: the timer that ends the window may be late. */
  isWithin(windowMs: number): boolean {
    return Date.now() < (this.settledAtMs ?? Date.now()) + windowMs;
  }
}

/** As the validator of an Update: what is refused without waiting leaves nothing in the history. */
export function refusing(check: () => unknown): void {
  try {
    check();
  } catch (error) {
    throw asRefusal(error);
  }
}
