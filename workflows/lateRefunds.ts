import { allHandlersFinished, condition, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import type { PaymentReads, ProviderActivities } from '../activities/payments';
import { DomainError } from '../domain/errors';
import { paymentUpdates, providerNews } from '../domain/names';
import { refundSettledData } from '../domain/operatorsWord';
import { mayFollow, type Payment, type PaymentStatus } from '../domain/payment';
import { paymentSteps, type PaymentFactData } from '../domain/paymentFacts';
import type { LateRefundsStart, OperatorsWord, ProviderNews } from '../domain/sagas';
import { FactRecord } from './factRecord';
import { createLock } from './lock';
import { PaymentView } from './paymentView';
import { asRefusal } from './refusal';
import { lookAtRefunds } from './refunds';
import { untilAnswered } from './untilAnswered';
import { requireShape, wordShape } from './updateArguments';

/**
 * A refund may fail weeks after it was given, when its payment's workflow is over: news of that begins this one, which
 * looks, books back what has failed and what somebody has made at the provider itself, and is over. So does an operator's
 * word that the rider has otherwise what failed.
 */
export async function lateRefunds({
  rideId,
  policies,
}: LateRefundsStart): Promise<PaymentStatus | 'nothing'> {
  const view = new PaymentView(policies);
  const provider = untilAnswered<Pick<ProviderActivities, 'refundsThatDiffer'>>(view);
  const record = new FactRecord<Payment, PaymentFactData>(
    {
      id: rideId,
      steps: paymentSteps,
      committed: 'committedPayment' satisfies keyof PaymentReads,
      mayFollow,
    },
    view,
  );
  let hasNews = false;
  setHandler(defineSignal<[ProviderNews]>(providerNews), () => void (hasNews = true));
  const oneAtATime = createLock();
  const loaded = record.load();
  // Without a refusing validator: where it begins this workflow, that would be left running.
  setHandler(defineUpdate<Payment, [OperatorsWord]>(paymentUpdates.markResolved), async (word) => {
    await loaded;
    return oneAtATime(() => settle(word));
  });

  await loaded;
  while (hasNews || !allHandlersFinished()) {
    await condition(() => hasNews || allHandlersFinished());
    if (hasNews) await oneAtATime(look);
  }
  view.waits('nothing: what has failed is booked');
  return record.state?.status ?? 'nothing';

  async function look(): Promise<void> {
    hasNews = false;
    // What may not be booked as the payment is, reconciliation finds again.
    for (const { type, data } of await provider.refundsThatDiffer(lookAtRefunds, rideId))
      if (mayFollow(record.state, type)) await record.add(type, data);
  }

  async function settle(word: OperatorsWord): Promise<Payment> {
    try {
      requireShape(paymentUpdates.markResolved, wordShape, word);
      const { state } = record;
      if (state === null || !mayFollow(state, 'payment.refund_settled'))
        throw new DomainError('resolve_not_possible', 'No refund of this payment has failed.');
      return await record.add('payment.refund_settled', refundSettledData(state, word));
    } catch (error) {
      throw asRefusal(error);
    }
  }
}
