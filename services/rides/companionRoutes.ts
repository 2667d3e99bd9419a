import type { Pool } from 'pg';
import { operations } from '../../contracts/api/operations';
import type { Policies } from '../../domain/policies';
import { decideRating } from '../../domain/rating';
import { drivingStatuses, type Ride } from '../../domain/ride';
import type { MountOperation } from '../../platform/http';
import { visibleRide } from './access';
import { getDriver } from './drivers';
import type { WhereIs } from './location';
import { giveRating } from './ratings';
import { endShares, readShare, signShare } from './share';

export interface CompanionRoutesOptions {
  readonly pool: Pool;
  readonly whereIs: WhereIs;
  readonly policies: Policies;
  /** Of links to rides. */
  readonly codeSecret: string;
  /** Where people reach this API: what links begin with. */
  readonly publicUrl: string;
  readonly topicPrefix: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Ratings of a ride's two sides, and links that show a ride to others. */
export function companionRoutes(mount: MountOperation, options: CompanionRoutesOptions): void {
  const { pool, whereIs, policies, codeSecret, publicUrl, topicPrefix, now } = options;

  mount(operations.rateRide, async ({ params, body, caller }) => {
    const ride = await visibleRide(pool, params.rideId, caller);
    const by = caller.role === 'driver' ? 'driver' : 'rider';
    const at = new Date(now()).toISOString();
    const asked = { by, stars: body.stars, comment: body.comment ?? null, at } as const;
    const given = await giveRating(pool, decideRating(ride, asked, policies), topicPrefix);
    const { rideId, stars, comment, givenAt } = given;
    return { status: 201, body: { rideId, by, stars, comment, givenAt } };
  });

  mount(operations.shareRide, async ({ params, caller }) => {
    const ride = await visibleRide(pool, params.rideId, caller);
    const { token, expiresAt } = await signShare(pool, codeSecret, ride, now(), policies);
    return { status: 201, body: { url: new URL(`/v1/shared/${token}`, publicUrl).href, expiresAt } };
  });

  mount(operations.unshareRide, async ({ params, caller }) => {
    const ride = await visibleRide(pool, params.rideId, caller);
    await endShares(pool, ride.rideId);
    return { status: 204 };
  });

  mount(operations.sharedRide, async ({ params }) => {
    const { ride, expiresAt } = await readShare(pool, codeSecret, params.token, now(), policies);
    const { status, pickup, stops, dropoff } = ride;
    return {
      status: 200,
      // Whoever has the link has all of it: it is kept out of caches and of search engines.
      headers: { 'Cache-Control': 'no-store', 'X-Robots-Tag': 'noindex' },
      body: { status, pickup, stops, dropoff, driver: await driverOf(ride), expiresAt },
    };
  });

  async function driverOf({ status, driverId }: Ride) {
    if (driverId === null || !drivingStatuses.includes(status)) return null;
    const [driver, found] = await Promise.all([getDriver(pool, driverId), whereIs(driverId)]);
    if (driver === null) return null;
    const { name, plate, product } = driver;
    const position = found === null || found === 'unknown' ? null : { lat: found.lat, lng: found.lng };
    return { name, plate, product, position };
  }
}
