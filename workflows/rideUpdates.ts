import { ApplicationFailure, condition, defineUpdate, setHandler, uuid4 } from '@temporalio/workflow';
import { rideUpdates } from '../domain/names';
import type { Policies } from '../domain/policies';
import type { Ride, RideCommand, RideCommandType } from '../domain/ride';
import type { AcceptedOffer } from '../domain/sagas';
import { assignOrReserve } from './dispatch';
import { secure } from './hold';
import { now } from './now';
import type { AtMost } from './atMost';
import { refuseWhenOver } from './refusal';
import type { RideRecord } from './rideRecord';
import { answerUpdate, type Shape } from './updateArguments';

const driver: Shape = { driverId: 'id' };
const reason: Shape = { reason: 'text' };

/**
 * The Updates by which people act on a ride. Each answers with the ride after it, or refuses with the domain's code.
 */
export function answerRiderDriverAndOperator(
  record: RideRecord,
  policies: Policies,
  fareChanges: AtMost,
): void {
  const answer = <Argument>(
    name: string,
    description: string,
    shape: Shape,
    handle: (argument: Argument) => Promise<Ride>,
    alone: { alone?: AtMost } = {},
  ): void => answerUpdate(record, { name, description, shape, ...alone }, handle);
  const command = (name: string, type: RideCommandType, shape: Shape, description: string): void =>
    answer<object>(name, description, shape, (argument) =>
      record.apply({ ...argument, type, at: now() } as RideCommand),
    );

  // The first Update has no validator: a refused one would leave the workflow running.
  setHandler(defineUpdate<Ride>(rideUpdates.request), async () => {
    await condition(() => record.isRecorded);
    return record.ride;
  });
  answer<AcceptedOffer>(
    rideUpdates.offerAccepted,
    'The driver who won an offer',
    { ...driver, offerId: 'id' },
    (offer) =>
      isWith(offer.driverId, record.ride) ? Promise.resolve(record.ride) : assignOrReserve(record, offer),
  );
  const { arrive, start, reachStop, complete, endEarly, reportNoShow, unassign } = rideUpdates;
  const override: Shape = { by: 'operator?', reason: 'text?' };
  command(
    arrive,
    'arrive',
    { ...driver, pickupDistanceMeters: 'count?', ...override },
    'The driver is at the pickup; an operator adds "by": "operator"',
  );
  command(
    start,
    'start',
    { ...driver, ...override },
    'The rider is in the car; an operator adds "by": "operator"',
  );
  command(reachStop, 'reachStop', { ...driver, stop: 'place' }, 'A stop is reached');
  command(complete, 'complete', driver, 'The ride is at its end');
  command(
    endEarly,
    'endEarly',
    { by: 'rider or operator', ...reason, drivenMeters: 'count?' },
    'The ride ends here; the fare is for what was driven',
  );
  command(reportNoShow, 'reportNoShow', driver, 'The rider did not come');
  answer<{ driverId: string; reason: string }>(
    unassign,
    'The driver gives the ride back, or the reservation',
    { ...driver, ...reason },
    (given) =>
      record.is('matching') && record.ride.reservedDriverId === given.driverId
        ? record.apply({ type: 'releaseReservation', at: now(), reason: given.reason })
        : record.apply({ type: 'unassignDriver', at: now(), ...given }),
  );
  const { reassign, forceComplete, adjustFare, cancel } = rideUpdates;
  command(
    reassign,
    'reassign',
    { ...driver, ...reason },
    'Operator: take the ride from this driver and look for another',
  );
  command(forceComplete, 'forceComplete', reason, 'Operator: complete the ride at its fare');
  answer<{ totalMinor: number; reason: string }>(
    adjustFare,
    'Operator: set another fare; a higher one once the hold covers it',
    { totalMinor: 'minor', ...reason },
    async (fare) => {
      await record.mustAllow({ type: 'adjustFare', at: now(), ...fare });
      if (fare.totalMinor > record.ride.fare.totalMinor)
        await secureOrRefuse(record, policies, fare.totalMinor);
      return record.apply({ type: 'adjustFare', at: now(), ...fare });
    },
    { alone: fareChanges },
  );
  answer<{ by: 'rider' | 'operator'; reason: string }>(
    cancel,
    'Ends the ride; "by" is rider or operator',
    { by: 'rider or operator', ...reason, approachMeters: 'count?', agreedFeeMinor: 'minor?' },
    ({ by, ...rest }) =>
      record.apply({
        ...rest,
        type: by === 'rider' ? 'cancelByRider' : 'cancelByOperator',
        at: now(),
      }),
  );
}

async function secureOrRefuse(record: RideRecord, policies: Policies, fareMinor: number): Promise<void> {
  const raised = await secure(record.ride, policies, { changeId: uuid4(), fareMinor });
  if (raised.raised) return;
  // A ride that ended meanwhile has no hold to raise: that says nothing of the card.
  refuseWhenOver(record);
  const message = 'The hold could not be raised to this fare: the old one stands.';
  throw ApplicationFailure.nonRetryable(message, 'fare_not_covered', { reason: raised.reason });
}

/** Whether a driver has the ride already, or will: their accept was told twice. */
const isWith = (driverId: string, { status, driverId: assigned, reservedDriverId }: Ride): boolean =>
  (status === 'assigned' && assigned === driverId) || reservedDriverId === driverId;
