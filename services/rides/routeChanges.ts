import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { operations } from '../../contracts/api/operations';
import type { QuoteClaims } from '../../contracts/api/quotes';
import { decideRide } from '../../domain/decideRide';
import { DomainError } from '../../domain/errors';
import type { Policies } from '../../domain/policies';
import type { Ride, RouteChange } from '../../domain/ride';
import type { MountOperation } from '../../platform/http';
import { visibleRide } from './access';
import { claimRequest, findClaim } from './claims';
import { readQuote } from './quoteToken';
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
    const isDone = ({ routeChange }: Ride): boolean => routeChange?.changeId === change.changeId;
    return rideNow(await act(ride, { update: 'proposeRoute', argument: { change }, isDone }), caller);
  });

  mount(operations.withdrawRoute, async ({ params: { rideId, changeId }, caller }) => {
    const ride = await visibleRide(pool, rideId, caller);
    const argument = { changeId, by: 'rider', reason: 'withdrawn' };
    return rideNow(await act(ride, { update: 'withdrawRoute', argument, isDone: never }), caller);
  });

  mount(operations.acceptRoute, async ({ params: { rideId, changeId }, caller }) => {
    const ride = await visibleRide(pool, rideId, caller);
    const argument = { driverId: caller.sub, changeId };
    const updateId = `accept-${changeId}-${caller.sub}`;
    return rideNow(await act(ride, { update: 'acceptRoute', argument, isDone: never, updateId }), caller);
  });

  mount(operations.declineRoute, async ({ params: { rideId, changeId }, body, caller }) => {
    const ride = await visibleRide(pool, rideId, caller);
    const argument = { driverId: caller.sub, changeId, reason: body.reason ?? 'declined_by_driver' };
    return rideNow(await act(ride, { update: 'declineRoute', argument, isDone: never }), caller);
  });
}

/** The workflow remembers what it answered: a repeat is asked of it. */
const never = (): boolean => false;

/**
 * The change that a quote describes. Its id is the quote's, so that the same token again is the same proposal; a quote
 * is good for one ride or one change.
 * @throws DomainError `quote_invalid`, `quote_expired`, `quote_used`, `illegal_transition`, `route_change_not_possible`
 */
async function changeAsQuoted(
  ride: Ride,
  token: string,
  { pool, quoteSecret, policies, now }: RouteChangesOptions,
): Promise<RouteChange> {
  const quote = await readQuote(quoteSecret, token, ride.riderId);
  const change = changeOf(ride, quote);
  const at = new Date(now()).toISOString();
  const claim = {
    caller: ride.riderId,
    // A space is in no Idempotency-Key: no key of a client's is this one.
    key: `route change ${quote.quoteId}`,
    bodyHash: createHash('sha256').update(ride.rideId).digest('hex'),
  };
  try {
    if ((await findClaim(pool, claim)) !== null) return change;
    if (Date.parse(quote.expiresAt) <= now())
      throw new DomainError('quote_expired', `The quote was good until ${quote.expiresAt}.`);
    // Refuses where the ride would, before the quote is used up.
    decideRide({ type: 'proposeRoute', at, change }, ride, policies);
    await claimRequest(pool, { ...claim, rideId: ride.rideId, quoteId: quote.quoteId, now: at });
    return change;
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'idempotency_key_reused') throw error;
    throw new DomainError('quote_used', 'This quote was used for another ride.');
  }
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
