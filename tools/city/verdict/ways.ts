import { factsOfRides, type Evidence, type RecordedFact } from './evidence';

type Data = Readonly<Record<string, unknown>>;
type Is = (data: Data) => boolean;

const any: Is = () => true;

/** By what fact a way that a ride can go is known. */
const ways = {
  scheduled: ['ride.scheduled', any],
  surged: ['ride.requested', ({ surge }) => typeof surge === 'number' && surge > 1],
  rescheduled: ['ride.rescheduled', any],
  withDrops: ['ride.stop_reached', any],
  waitedFor: ['ride.started', ({ waitingMinor }) => typeof waitingMinor === 'number' && waitingMinor > 0],
  notShownUp: ['ride.cancelled', ({ by }) => by === 'no_show'],
  rematched: ['ride.driver_unassigned', any],
  reservedAsNext: ['ride.driver_reserved', any],
  routeChanged: ['ride.route_changed', any],
  routeDeclined: ['ride.route_change_declined', ({ by }) => by === 'driver'],
  routeUnpaid: ['ride.route_change_declined', ({ by }) => by === 'payment'],
  endedEarly: ['ride.completed', ({ ended }) => ended !== undefined],
  cancelledFree: ['ride.cancelled', ({ by, feeMinor }) => by === 'rider' && feeMinor === 0],
  cancelledForFee: ['ride.cancelled', ({ by, feeMinor }) => by === 'rider' && feeMinor !== 0],
} as const satisfies Record<string, readonly [type: string, is: Is]>;

/** How many of this run's rides went each way, and what people did beside riding, so often. */
export function waysSeen(evidence: Evidence): Record<string, number> {
  const byRide = factsOfRides(evidence.facts);
  const ours = evidence.accepted.map(({ rideId }) => byRide.get(rideId) ?? []);
  const went = Object.entries(ways).map(([way, [type, is]]): [string, number] => {
    const isIt = (fact: RecordedFact): boolean => fact.type === type && is(fact.data as Data);
    return [way, ours.filter((facts) => facts.some(isIt)).length];
  });
  return {
    ...Object.fromEntries(went),
    tips: evidence.tips.length,
    ratings: evidence.ratings.length,
    breaks: evidence.breaks.length,
    looksAtLinks: evidence.looks.length,
    webhooks: evidence.webhooks.length,
    postsToWebhooks: evidence.posts.length,
  };
}
