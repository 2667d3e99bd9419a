import { defineSignal, setHandler } from '@temporalio/workflow';
import type { PaymentReads, ProviderActivities } from '../activities/payments';
import { providerNews } from '../domain/names';
import { mayFollow, type Payment, type PaymentStatus } from '../domain/payment';
import { paymentSteps, type PaymentFactData } from '../domain/paymentFacts';
import type { LateRefundsStart, ProviderNews } from '../domain/sagas';
import { FactRecord } from './factRecord';
import { PaymentView } from './paymentView';
import { untilAnswered } from './untilAnswered';

/**
 * A refund may fail weeks after it was given, when its payment's workflow is over: news of that begins this one, which
 * looks, books back what has failed, and is over.
 */
export async function lateRefunds({
  rideId,
  policies,
}: LateRefundsStart): Promise<PaymentStatus | 'nothing'> {
  const view = new PaymentView(policies);
  const provider = untilAnswered<Pick<ProviderActivities, 'failedRefunds'>>(view);
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

  await record.load();
  while (hasNews) {
    hasNews = false;
    if (!mayFollow(record.state, 'payment.refund_failed')) break;
    for (const failed of await provider.failedRefunds('See whether a refund has failed', rideId))
      await record.add('payment.refund_failed', failed);
  }
  view.waits('nothing: what has failed is booked');
  return record.state?.status ?? 'nothing';
}
