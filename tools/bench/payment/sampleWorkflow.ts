import { condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';
import type { ActivityInterfaceFor } from '@temporalio/workflow';
import type { PaymentTransitions, ProviderActivities } from '../../../activities/payments';
import { paymentSignals, stepId } from '../../../domain/names';
import type { Payment, PaymentStatus } from '../../../domain/payment';
import { paymentSteps, type PaymentFact } from '../../../domain/paymentFacts';
import { capturedData } from '../../../domain/paymentPlan';
import type { PaymentStart } from '../../../domain/sagas';
import type { RideOutcome } from '../../../domain/settlement';

/** As the published samples have it: one kind of activity, one timeout. */
const options = { startToCloseTimeout: '1 minute' } as const;
const books: ActivityInterfaceFor<PaymentTransitions> = proxyActivities<PaymentTransitions>(options);
const provider = proxyActivities<ProviderActivities>(options);

/**
 * A payment in the style of the published samples: every step a regular activity. It takes the same orders and leaves
 * the same rows, facts and bookings as Hailway's; what can go otherwise, and what may come after it, it leaves out.
 */
export async function payment({ order, policies }: PaymentStart): Promise<PaymentStatus> {
  const { rideId, amountMinor, currency } = order;
  let current: Payment | null = null;
  let outcome: RideOutcome | undefined;
  setHandler(defineSignal<[RideOutcome]>(paymentSignals.rideEnded), (ended) => void (outcome = ended));

  const record = async (fact: PaymentFact): Promise<Payment> => {
    const expectedVersion: number = current?.version ?? 0;
    const step = paymentSteps[fact.type];
    const recorded = await books[step]({
      stepId: stepId(rideId, step, expectedVersion),
      aggregateId: rideId,
      expectedVersion,
      fact,
    });
    return (current = recorded.state);
  };

  await record({ type: 'payment.opened', at: now(), data: order });
  const held = await provider.authorize(order);
  if (!held.charged) throw new Error('the payment of the bench is not declined');
  const { intentId } = held;
  const authorized = await record({
    type: 'payment.authorized',
    at: now(),
    data: { intentId, amountMinor, currency },
  });
  await condition(() => outcome !== undefined);
  const ended = outcome as unknown as RideOutcome;
  await provider.capture({ rideId, intentId, amountMinor: ended.amountMinor });
  const taken = { intentId, takenMinor: ended.amountMinor };
  const data = capturedData(authorized, ended, taken, policies.commissionBasisPoints);
  return (await record({ type: 'payment.captured', at: now(), data })).status;
}

const now = (): string => new Date(Date.now()).toISOString();
