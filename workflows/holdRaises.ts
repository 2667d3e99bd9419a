import { CancellationScope, condition, defineUpdate, setHandler } from '@temporalio/workflow';
import { money } from '../domain/money';
import { paymentUpdates } from '../domain/names';
import type { HoldRaise, Raised } from '../domain/paymentCalls';
import { createLock } from './lock';
import type { PaymentRecord } from './paymentRecord';
import type { Provider } from './provider';
import { requireShape } from './updateArguments';

/** Raises of the hold while the ride is under way: each is answered once, and none is left half done at its end. */
export class HoldRaises {
  private readonly answers = new Map<string, Promise<Raised>>();
  private readonly oneAtATime = createLock();
  private underWay = 0;
  private closed = false;

  constructor(
    private readonly record: PaymentRecord,
    private readonly provider: Provider,
  ) {
    setHandler(
      defineUpdate<Raised, [HoldRaise]>(paymentUpdates.raiseHold),
      (raise) => {
        const known = this.answers.get(raise.changeId);
        const answer = known ?? this.answer(raise);
        this.answers.set(raise.changeId, answer);
        return answer;
      },
      {
        description: 'The ride will cost more: a larger hold, before that applies',
        validator: (raise: HoldRaise) =>
          requireShape(paymentUpdates.raiseHold, { changeId: 'text', toMinor: 'minor' }, raise),
      },
    );
  }

  /** From now on nothing is raised; returns when the raise in hand has its answer, which the settlement counts on. */
  async close(): Promise<void> {
    this.closed = true;
    await condition(() => this.underWay === 0);
  }

  private async answer(raise: HoldRaise): Promise<Raised> {
    this.underWay += 1;
    try {
      return await CancellationScope.nonCancellable(() => this.oneAtATime(() => this.raise(raise)));
    } finally {
      this.underWay -= 1;
    }
  }

  private async raise({ changeId, toMinor }: HoldRaise): Promise<Raised> {
    if (this.closed) return { raised: false, reason: 'ride_ended' };
    if (!this.record.is('authorized', 'cash_due')) return { raised: false, reason: 'not_authorized' };
    const { rideId, amountMinor, currency, intentId } = this.record.payment;
    if (toMinor <= amountMinor) return { raised: true };
    if (intentId !== null) {
      const summary = `Raise the hold from ${money(amountMinor, currency)} to ${money(toMinor, currency)}`;
      const order = { rideId, intentId, changeId, toMinor };
      const answer = await this.provider.raiseHold(summary, order);
      if (!answer.raised) return answer;
    }
    await this.record.add('payment.hold_raised', { intentId, amountMinor: toMinor, currency, changeId });
    return { raised: true };
  }
}
