import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { operations } from '../../contracts/api/operations';
import type { QuoteClaims } from '../../contracts/api/quotes';
import { decideRide } from '../../domain/decideRide';
import { DomainError } from '../../domain/errors';
import type { Policies } from '../../domain/policies';
import { hasEnded, type Ride, type RouteChange } from '../../domain/ride';
import type { MountOperation } from '../../platform/http';
import { visibleRide } from './access';
import { claimRequest, findClaim } from './claims';
import { readQuote } from './quoteToken';
import { fateOf } from './routeChangeFate';
import type { Act } from './rideActions';
import { viewRide, type Viewer } from './views';

export interface RouteChangesOptions {
  readonly pool: Pool;
  readonly act: Act;
  readonly policies: Policies;
  readonly quoteSecret: string;
  /** Of the start codes, which a rider's view has. */
  readonly codeSecret: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Stops on the way, and another way from here on: the rider proposes it with a quote, the driver answers. */
export function routeChangeRoutes(mount: MountOperation, options: RouteChangesOptions): void {
  const { pool, act, codeSecret } = options;
  const rideNow = (ride: Ride, viewer: Viewer) => ({ status: 200, body: viewRide(ride, viewer, codeSecret) });

  const isDeclined = (changeId: string) => async (ride: Ride) =>
    (await fateOf(pool, ride, changeId)) === 'declined';

  mount(operations.reachStop, async ({ params: { rideId, stop }, caller }) => {
    const ride = await visibleRide(pool, rideId, caller);
    const isDone = ({ driverId, stopsReached }: Ride): boolean =>
      driverId === caller.sub && stopsReached === stop;
    const argument = { driverId: caller.sub, stop };
    return rideNow(await act(ride, { update: 'reachStop', argument, isDone }), caller);
  });

  mount(operations.proposeRoute, async ({ params, body, caller }) => {
    const ride = await visibleRide(pool, params.rideId, caller);
    const change = await changeAsQuoted(ride, body.quoteToken, options);
    // A late repeat opens nothing anew.
    const isDone = async (now: Ride): Promise<boolean> =>
      !hasEnded(now) && (await fateOf(pool, now, change.changeId)) !== 'unknown';
    return rideNow(await act(ride, { update: 'proposeRoute', argument: { change }, isDone }), caller);
  });

  mount(operations.withdrawRoute, async ({ params: { rideId, changeId }, caller }) => {
    const ride = await visibleRide(pool, rideId, caller);
    const argument = { changeId, by: 'rider', reason: 'withdrawn' };
    const isDone = isDeclined(changeId);
    return rideNow(await act(ride, { update: 'withdrawRoute', argument, isDone }), caller);
  });

  mount(operations.acceptRoute, async ({ params: { rideId, changeId }, caller }) => {
    const ride = await visibleRide(pool, rideId, caller);
    const argument = { driverId: caller.sub, changeId };
    const updateId = `accept-${changeId}-${caller.sub}`;
    const isDone = async (now: Ride): Promise<boolean> => {
      const fate = await fateOf(pool, now, changeId);
      if (fate === 'unpaid')
        throw new DomainError(
          'fare_not_covered',
          'The hold could not be raised: the ride went on as it was.',
        );
      return fate === 'applied';
    };
    return rideNow(await act(ride, { update: 'acceptRoute', argument, isDone, updateId }), caller);
  });

  mount(operations.declineRoute, async ({ params: { rideId, changeId }, body, caller }) => {
    const ride = await visibleRide(pool, rideId, caller);
    const argument = { driverId: caller.sub, changeId, reason: body.reason ?? 'declined_by_driver' };
    const isDone = isDeclined(changeId);
    return rideNow(await act(ride, { update: 'declineRoute', argument, isDone }), caller);
  });
}

/**
 * The change that a quote for this ride describes. Its id is the quote's, so that the same token again is the same
 * proposal.
 * @throws DomainError `quote_invalid`, `quote_expired`, `illegal_transition`, `route_change_not_possible`
 */
async function changeAsQuoted(
  ride: Ride,
  token: string,
  { pool, quoteSecret, policies, now }: RouteChangesOptions,
): Promise<RouteChange> {
  const { rideId, riderId } = ride;
  const quote = await readQuote(quoteSecret, token, { riderId, changes: rideId });
  const change = changeOf(ride, quote);
  const at = new Date(now()).toISOString();
  const claim = {
    caller: riderId,
    // A space is in no Idempotency-Key: no key of a client's is this one.
    key: `route change ${quote.quoteId}`,
    bodyHash: createHash('sha256').update(rideId).digest('hex'),
  };
  if ((await findClaim(pool, claim)) !== null) return change;
  if (Date.parse(quote.expiresAt) <= now())
    throw new DomainError('quote_expired', `The quote was good until ${quote.expiresAt}.`);
  // Refuses where the ride would, before the quote is used up.
  decideRide({ type: 'proposeRoute', at, change }, ride, policies);
  await claimRequest(pool, { ...claim, rideId, quoteId: quote.quoteId, now: at });
  return change;
}

function changeOf(ride: Ride, quote: QuoteClaims): RouteChange {
  const { pickup, product } = ride;
  const isFromThere = quote.pickup.lat === pickup.lat && quote.pickup.lng === pickup.lng;
  if (quote.product !== product || !isFromThere || quote.scheduledFor !== null) {
    throw new DomainError(
      'route_change_not_possible',
      'A change keeps the pickup and the product, and is for now: ask for a quote with these.',
    );
  }
  const { quoteId, stops, dropoff, distanceMeters, durationSeconds, fare } = quote;
  return { changeId: quoteId, stops, dropoff, distanceMeters, durationSeconds, fare };
}
