import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import type { RideMessages } from '../activities/messages';
import { holdMinor } from '../domain/charge';
import { rideSignals, rideUpdates, rideWorkflowId } from '../domain/names';
import type { RideOutcome } from '../domain/payment';
import type { Ride, RideCommand, RideCommandType, RideStatus } from '../domain/ride';
import type { AcceptedOffer, Authorization, PaymentStart, RideStart } from '../domain/sagas';
import { Compensations } from './compensation';
import { assignOrReserve, match, type SearchNews } from './dispatch';
import { RideRecord } from './rideRecord';
import { ownDatabase } from './steps';

const messages = ownDatabase<RideMessages>();

/** A ride, from its request to its end: requested, paid for, matched, driven, charged. */
export async function ride({ request, requestedAt, policies }: RideStart): Promise<RideStatus> {
  const { rideId } = request;
  const record = new RideRecord(rideId, policies);
  const compensations = new Compensations();
  const search: SearchNews = { declinedRounds: new Set(), driverFreed: false };
  let authorization: Authorization | undefined;

  answerRiderDriverAndOperator(record);
  setHandler(
    defineSignal<[{ round: number }]>(rideSignals.offersDeclined),
    ({ round }) => void search.declinedRounds.add(round),
  );
  setHandler(defineSignal(rideSignals.driverFree), () => void (search.driverFreed = true));
  setHandler(defineSignal(rideSignals.paymentAuthorized), () => void (authorization = { authorized: true }));
  setHandler(defineSignal<[{ reason: string }]>(rideSignals.paymentDeclined), ({ reason }) => {
    authorization = { authorized: false, reason };
  });

  try {
    await record.apply({ type: 'request', at: requestedAt, request });
    await authorize();
    while (!record.hasEnded) {
      if (record.is('matching')) await match(record, search, policies);
      else await condition(() => record.hasEnded || record.is('matching'));
    }
  } catch (error) {
    // Nothing is left half done: driver and hold are freed, whoever or whatever ended the story.
    if (!record.isRecorded) throw error;
    const reason = isCancellation(error) ? 'workflow_cancelled' : 'saga_failed';
    await record.advance({ type: 'cancelByOperator', at: now(), reason });
  }
  await CancellationScope.nonCancellable(async () => {
    await settle();
    await condition(allHandlersFinished);
  });
  return record.ride.status;

  async function authorize(): Promise<void> {
    // Registered before the call: an authorization that timed out may have landed.
    compensations.add('release the hold', () => tellPayment({ amountMinor: 0, driverId: null }));
    // A cancel of the ride reaches the payment as the ride's last word, not as a cancel of its own.
    await CancellationScope.nonCancellable(() => messages.startPayment(paymentStart()));
    await condition(() => authorization !== undefined || record.hasEnded);
    if (authorization?.authorized) await record.advance({ type: 'startMatching', at: now() });
    else if (authorization)
      await record.advance({ type: 'failPayment', at: now(), reason: authorization.reason });
  }

  /** The ride's last word to its payment: what the rider owes, or that nothing is owed and the hold goes. */
  async function settle(): Promise<void> {
    const { chargeMinor, driverId } = record.ride;
    if (chargeMinor !== null && chargeMinor > 0) {
      compensations.clear();
      compensations.add('charge the rider', () => tellPayment({ amountMinor: chargeMinor, driverId }));
    }
    await compensations.run();
  }

  async function tellPayment(outcome: RideOutcome): Promise<void> {
    await messages.tellPayment({ rideId, outcome });
  }

  function paymentStart(): PaymentStart {
    const { riderId, paymentMethod, fare } = request;
    const order = {
      rideId,
      riderId,
      method: paymentMethod,
      amountMinor: holdMinor(fare, policies),
      currency: fare.currency,
    };
    return { order, policies, rideWorkflowId: rideWorkflowId(rideId) };
  }
}

type Command<T extends RideCommandType> = Omit<Extract<RideCommand, { type: T }>, 'type' | 'at'>;

/** The Updates by which people act on a ride. Each answers with the ride after it, or refuses with the domain's code. */
function answerRiderDriverAndOperator(record: RideRecord): void {
  const answer = <Argument>(name: string, handle: (argument: Argument) => Promise<Ride>): void =>
    setHandler(defineUpdate<Ride, [Argument]>(name), async (argument) => {
      await condition(() => record.isRecorded);
      return handle(argument);
    });
  const command = <T extends RideCommandType>(name: string, type: T): void =>
    answer<Command<T>>(name, (argument) => record.apply({ ...argument, type, at: now() } as RideCommand));

  answer(rideUpdates.request, async () => record.ride);
  answer<AcceptedOffer>(rideUpdates.offerAccepted, (offer) =>
    isWith(offer.driverId, record.ride) ? Promise.resolve(record.ride) : assignOrReserve(record, offer),
  );
  command(rideUpdates.arrive, 'arrive');
  command(rideUpdates.start, 'start');
  command(rideUpdates.reachStop, 'reachStop');
  command(rideUpdates.complete, 'complete');
  command(rideUpdates.endEarly, 'endEarly');
  command(rideUpdates.reportNoShow, 'reportNoShow');
  answer<Command<'unassignDriver'>>(rideUpdates.unassign, ({ driverId, reason }) =>
    record.is('matching') && record.ride.reservedDriverId === driverId
      ? record.apply({ type: 'releaseReservation', at: now(), reason })
      : record.apply({ type: 'unassignDriver', at: now(), driverId, reason }),
  );
  command(rideUpdates.reassign, 'reassign');
  command(rideUpdates.forceComplete, 'forceComplete');
  command(rideUpdates.adjustFare, 'adjustFare');
  answer<{ by: 'rider' | 'operator' } & Command<'cancelByRider'>>(rideUpdates.cancel, ({ by, ...cancel }) =>
    record.apply({ ...cancel, type: by === 'rider' ? 'cancelByRider' : 'cancelByOperator', at: now() }),
  );
}

/** Whether a driver has the ride already, or will: their accept was told twice. */
const isWith = (driverId: string, { status, driverId: assigned, reservedDriverId }: Ride): boolean =>
  (status === 'assigned' && assigned === driverId) || reservedDriverId === driverId;

const now = (): string => new Date(Date.now()).toISOString();
