import {
  allHandlersFinished,
  condition,
  defineUpdate,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import type { ActivityInterfaceFor } from '@temporalio/workflow';
import type { PaymentTransitions, ProviderActivities } from '../../../activities/payments';
import type { RideActivities } from '../../../activities/rides';
import { holdMinor } from '../../../domain/charge';
import { decideRide } from '../../../domain/decideRide';
import { rideUpdates, stepId } from '../../../domain/names';
import type { Payment } from '../../../domain/payment';
import {
  paymentSteps,
  type PaymentFact,
  type PaymentFactData,
  type PaymentFactType,
  type PaymentStep,
} from '../../../domain/paymentFacts';
import { capturedData } from '../../../domain/paymentPlan';
import type { Ride, RideCommand, RideStatus } from '../../../domain/ride';
import type { AcceptedOffer, RideStart } from '../../../domain/sagas';
import { outcomeOf } from '../../../domain/settlement';

/** As the published samples have it: one kind of activity, one timeout. */
const options = { startToCloseTimeout: '1 minute' } as const;
const transitions = proxyActivities<RideActivities['transitions']>(options);
const { offerRide } = proxyActivities<RideActivities['dispatch']>(options);
const books: ActivityInterfaceFor<PaymentTransitions> = proxyActivities<PaymentTransitions>(options);
const provider = proxyActivities<ProviderActivities>(options);

/**
 * The standard ride in the style of the published samples: one workflow, every step a regular activity. It takes the
 * same requests and leaves the same rows, facts and bookings as Hailway's; what can go otherwise it leaves out.
 */
export async function ride({ request, requestedAt, policies }: RideStart): Promise<RideStatus> {
  const { rideId, fare, paymentMethod, riderId } = request;
  let current: Ride | null = null;
  let payment: Payment | null = null;

  const apply = async (command: RideCommand): Promise<Ride> => {
    const expectedVersion: number = current?.version ?? 0;
    const recorded = await transitions[command.type]({
      stepId: stepId(rideId, command.type, expectedVersion),
      aggregateId: rideId,
      expectedVersion,
      fact: decideRide(command, current, policies),
    });
    return (current = recorded.state);
  };
  const pay = async <T extends PaymentFactType>(type: T, data: PaymentFactData[T]): Promise<void> => {
    const expectedVersion: number = payment?.version ?? 0;
    const fact = { type, at: now(), data } as PaymentFact;
    const name: PaymentStep = paymentSteps[type];
    const step = stepId(rideId, name, expectedVersion);
    payment = (await books[name]({ stepId: step, aggregateId: rideId, expectedVersion, fact })).state;
  };
  const answer = <A>(name: string, handle: (argument: A) => Promise<Ride>): void =>
    setHandler(defineUpdate<Ride, [A]>(name), handle);

  answer(rideUpdates.request, async () => {
    await condition(() => current !== null);
    return current!;
  });
  answer<AcceptedOffer>(rideUpdates.offerAccepted, (offer) =>
    apply({ type: 'assignDriver', at: now(), ...offer }),
  );
  for (const type of ['arrive', 'start', 'complete'] as const)
    answer<{ driverId: string }>(rideUpdates[type], ({ driverId }) => apply({ type, at: now(), driverId }));

  await apply({ type: 'request', at: requestedAt, request });
  const { currency } = fare;
  const amountMinor = holdMinor(fare, policies);
  const order = { rideId, riderId, method: paymentMethod, amountMinor, currency };
  await pay('payment.opened', order);
  const held = await provider.authorize(order);
  if (!held.charged) throw new Error('the standard ride is paid');
  const { intentId } = held;
  await pay('payment.authorized', { intentId, amountMinor, currency });
  await apply({ type: 'startMatching', at: now() });
  await offerRide({
    rideId,
    round: 1,
    ttlMs: policies.offerTtlMs,
    batchSize: policies.offerBatchSize,
    radiusMeters: policies.searchRadiusMeters,
    nextRideWithinSeconds: policies.nextRideWithinSeconds,
    quotedSecondMs: policies.quotedSecondMs,
  });
  const is = (status: RideStatus): boolean => current?.status === status;
  // As long as the offer is open; on a slow machine the standard ride is accepted all the same.
  await condition(() => !is('matching'), policies.offerTtlMs);
  await condition(() => is('completed'));
  const outcome = outcomeOf(current as unknown as Ride);
  const taken = { intentId, takenMinor: outcome.amountMinor };
  await provider.capture({ rideId, intentId, amountMinor: taken.takenMinor });
  const { commissionBasisPoints } = policies;
  await pay('payment.captured', capturedData({ currency }, outcome, taken, commissionBasisPoints));
  await condition(allHandlersFinished);
  return 'completed';
}

const now = (): string => new Date(Date.now()).toISOString();
