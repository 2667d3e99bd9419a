import { defineUpdate, setHandler } from '@temporalio/workflow';
import { DomainError } from '../domain/errors';
import { isChargeable, money } from '../domain/money';
import { paymentUpdates } from '../domain/names';
import type { Payment } from '../domain/payment';
import type { Tip } from '../domain/sagas';
import { paymentChanges } from './atMost';
import type { Provider } from './provider';
import { refusing } from './refusal';
import type { Settled } from './settled';
import { requireShape } from './updateArguments';

/** What a tip came to, in minor units. */
interface TipGiven {
  readonly tipMinor: number;
  readonly currency: string;
}

/** So often is a card asked in vain: each time is a try at the rider's bank, and nobody is to try cards by tips. */
const MOST_DECLINED = 5;

/** What a rider gives the driver after the ride, once. */
export class Tips {
  private asked = 0;
  private readonly underWay = paymentChanges(1);

  constructor(
    private readonly settled: Settled,
    private readonly provider: Provider,
  ) {
    // What can be refused without waiting is refused by the validator: that leaves nothing in the history, and the
    // same request may succeed later.
    setHandler(
      defineUpdate<TipGiven, [Tip]>(paymentUpdates.tip),
      (tip) => this.underWay.during(() => this.tip(tip)),
      {
        validator: (tip: Tip) =>
          refusing(() => {
            requireShape(paymentUpdates.tip, { amountMinor: 'minor' }, tip);
            if (this.settled.isSettled) this.mustTake(tip);
            this.underWay.refuseMore();
          }),
        description: 'A tip after the ride: a charge of its own, given once',
      },
    );
  }

  private async tip({ amountMinor }: Tip): Promise<TipGiven> {
    const { record } = this.settled;
    await this.settled.untilSettled();
    return this.settled.undisturbed(async () => {
      const { rideId, currency, tipMinor, method, driverId } = this.mustTake({ amountMinor });
      if (tipMinor > 0) return { tipMinor, currency };
      if (method.type === 'cash') throw notForTips();
      this.asked += 1;
      const tip = { rideId, amountMinor, currency, paymentMethod: method.token, attempt: this.asked };
      const charged = await this.provider.chargeTip(`Charge a tip of ${money(amountMinor, currency)}`, tip);
      if (!charged.charged)
        throw new DomainError('tip_declined', 'The card was declined.', { reason: charged.reason });
      const { intentId } = charged;
      await record.add('payment.tip_charged', { intentId, tipMinor: amountMinor, currency, driverId });
      return { tipMinor: amountMinor, currency };
    });
  }

  /** The payment, if a tip of this amount may be charged or was given already. */
  private mustTake({ amountMinor }: Tip): Payment {
    const { record } = this.settled;
    const { payment } = record;
    if (payment.tipMinor === amountMinor && amountMinor > 0) return payment;
    if (payment.tipMinor > 0) throw new DomainError('tip_already_given', 'A tip was given for this ride.');
    if (!isChargeable(amountMinor, payment.currency) || !record.is('captured', 'partially_refunded'))
      throw notForTips();
    if (this.asked >= MOST_DECLINED)
      throw new DomainError('tip_not_possible', 'The card was declined too often.');
    if (!this.settled.takesTips) throw new DomainError('tip_not_possible', 'The time for a tip is over.');
    return payment;
  }
}

const notForTips = (): DomainError =>
  new DomainError('tip_not_possible', 'A tip takes a completed ride that was paid by card.');
