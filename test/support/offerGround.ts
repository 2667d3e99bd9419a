import { v7 as uuidv7 } from 'uuid';
import { createRideActivities } from '../../activities/rides';
import { decideRide } from '../../domain/decideRide';
import { stepId } from '../../domain/names';
import { standardPolicies } from '../../domain/policies';
import type { Vehicle } from '../../domain/fare';
import type { Ride, RideCommand, RideRequest } from '../../domain/ride';
import type { Recorded } from '../../domain/sagas';
import type { Pool } from '../../platform/postgres';
import { goOffline, goOnline, registerDriver } from '../../services/rides/drivers';
import { askableDrivers, closeOffers, makeOffers } from '../../services/rides/offerRounds';
import { acceptOffer, declineOffer } from '../../services/rides/offers';
import { getRide } from '../../services/rides/store';
import { rideRequest } from './rides';
import { vaultInMemory } from '../../tools/vaultInMemory';

/** Rides, drivers and offers in a real Postgres, moved by the activities without a workflow. */

const vault = vaultInMemory();

export const now = (): string => new Date().toISOString();

/** Records what a command does to a ride, as the ride's workflow would on the version that it knows. */
export async function record(
  pool: Pool,
  rideId: string,
  command: RideCommand,
  known?: Ride,
): Promise<Recorded<Ride>> {
  const ride = known ?? (await getRide(pool, rideId));
  const { transitions } = createRideActivities({ pool, vault, findNearby: () => Promise.resolve([]) });
  const expectedVersion = ride?.version ?? 0;
  return transitions[command.type]({
    stepId: stepId(rideId, command.type, expectedVersion),
    aggregateId: rideId,
    expectedVersion,
    fact: decideRide(command, ride, standardPolicies),
  });
}

/** A ride that searches. */
export async function searchingRide(pool: Pool, changes: Partial<RideRequest> = {}): Promise<string> {
  const rideId = uuidv7();
  const request = rideRequest({ quoteId: uuidv7(), ...changes, rideId });
  await record(pool, rideId, { type: 'request', at: now(), request });
  await record(pool, rideId, { type: 'startMatching', at: now() });
  return rideId;
}

/** New drivers, online. */
export async function onlineDrivers(
  pool: Pool,
  count: number,
  product: Vehicle = 'standard',
): Promise<string[]> {
  const driverIds = Array.from({ length: count }, () => `driver-${uuidv7()}`);
  await Promise.all(
    driverIds.map(async (driverId) => {
      await registerDriver(pool, {
        driverId,
        details: { name: 'D', plate: 'T-1', product, fleetId: null },
        vault,
        at: now(),
      });
      await goOnline(pool, { driverId, at: now() });
    }),
  );
  return driverIds;
}

/** Offers a ride to all of these drivers who are free, for a minute. */
export function offer(pool: Pool, rideId: string, driverIds: readonly string[], round = 1): Promise<number> {
  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  return makeOffers(
    pool,
    { rideId, round, expiresAt, batchSize: driverIds.length },
    driverIds.map((driverId) => ({ driverId, pickupDistanceMeters: 500, etaSeconds: 120 })),
  );
}

/** A searching ride with an offer to one driver, and what each of them may do next. */
export async function offered(pool: Pool) {
  const [driverId] = (await onlineDrivers(pool, 1)) as [string];
  const rideId = await searchingRide(pool);
  await offer(pool, rideId, [driverId]);
  const { offerId, expiresAt } = (await offersOf(pool, rideId)).get(driverId)!;
  const ride = (await getRide(pool, rideId))!;
  return {
    rideId,
    driverId,
    offerId,
    expiresAtMs: Date.parse(expiresAt),
    accept: (db: Pool, at = now()) => acceptOffer(db, { offerId, driverId, now: at }),
    decline: (db: Pool) => declineOffer(db, { offerId, driverId }),
    expire: (db: Pool) => closeOffers(db, rideId, 1),
    cancel: (db: Pool) =>
      record(db, rideId, { type: 'cancelByRider', at: now(), reason: 'changed_mind' }, ride),
    assign: (db: Pool) => record(db, rideId, { type: 'assignDriver', at: now(), driverId, offerId }, ride),
    leave: (db: Pool) => goOffline(db, { driverId, at: now() }),
    state: async () => (await offersOf(pool, rideId)).get(driverId)!.state,
  };
}

/** Those of the drivers who could be asked for this ride. */
export const askable = async (pool: Pool, rideId: string, driverIds: readonly string[]): Promise<string[]> =>
  (await askableDrivers(pool, (await getRide(pool, rideId))!, driverIds)).map(({ driverId }) => driverId);

interface OfferRow {
  readonly offerId: string;
  readonly state: string;
  /** ISO 8601 in UTC. */
  readonly expiresAt: string;
}

/** The offers of a ride: by driver, the id and what became of it. */
export async function offersOf(pool: Pool, rideId: string): Promise<Map<string, OfferRow>> {
  const { rows } = await pool.query<OfferRow & { driverId: string }>(
    `select driver_id as "driverId", offer_id as "offerId", state, expires_at as "expiresAt"
     from offers where ride_id = $1`,
    [rideId],
  );
  return new Map(rows.map(({ driverId, ...row }) => [driverId, row]));
}

/** A driver's lease. */
export async function lease(
  pool: Pool,
  driverId: string,
): Promise<{ offerId: string | null; rideId: string | null }> {
  const { rows } = await pool.query<{ offerId: string | null; rideId: string | null }>(
    'select offer_id as "offerId", ride_id as "rideId" from drivers where driver_id = $1',
    [driverId],
  );
  return rows[0]!;
}
