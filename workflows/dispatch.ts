import {
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  sleep,
} from '@temporalio/workflow';
import type { RideActivities } from '../activities/rides';
import { matchingLeftMs, radiusOfSearch, reservationLeftMs } from '../domain/dispatch';
import type { Policies } from '../domain/policies';
import type { Ride } from '../domain/ride';
import type { AcceptedOffer } from '../domain/sagas';
import { now } from './now';
import type { RideRecord } from './rideRecord';
import { ownDatabase } from './steps';

type Dispatch = RideActivities['dispatch'];

/** What a search is told from outside. */
export interface SearchNews {
  /** Rounds that everybody has declined. */
  readonly declinedRounds: Set<number>;
  /** The present ride of the driver whom this one has reserved is over. */
  driverFreed: boolean;
}

/**
 * Offers the ride to drivers nearby, one batch after another and each from further away, until one has accepted, the
 * deadline has passed or the ride has left `matching` in another way. Who wins is decided in Postgres; a winner whose
 * Update never came is adopted when the batch is closed. A winner who is still on another ride is waited for.
 */
export async function match(record: RideRecord, news: SearchNews, policies: Policies): Promise<void> {
  const rounds = new CancellationScope();
  const offering = rounds.run(() => offerInRounds(record, news, policies));
  offering.catch(() => undefined);
  try {
    await Promise.race([offering, condition(() => !record.is('matching'))]);
  } finally {
    rounds.cancel();
    // A step in hand is short: nothing of the search is still under way when the ride goes on, or ends.
    await offering.catch(() => undefined);
  }
}

async function offerInRounds(record: RideRecord, news: SearchNews, policies: Policies): Promise<void> {
  const { rideId } = record.ride;
  const matchingSince = record.ride.matchingSince ?? now();
  let reservedMs = 0;
  const telling = { onTrouble: (step: string, error: unknown) => record.operators.failed(step, error) };
  const { offerRide } = ownDatabase<Dispatch>({ ...telling, patience: `${policies.matchingDeadlineMs}ms` });
  const { closeOffers } = ownDatabase<Dispatch>(telling);
  // Rounds are numbered through the ride's whole life: its version tells a rematch from the first search.
  const firstRound = record.ride.version * 1_000;
  for (let round = firstRound; record.is('matching'); round += 1) {
    const leftMs = matchingLeftMs({ matchingSince, reservedMs, nowMs: Date.now() }, policies);
    if (leftMs <= 0) return record.advance({ type: 'giveUpMatching', at: now() });
    const radiusMeters = radiusOfSearch(round - firstRound, policies);
    const offers = await offerOrUnknown(() =>
      offerRide({
        rideId,
        round,
        ttlMs: policies.offerTtlMs,
        batchSize: policies.offerBatchSize,
        radiusMeters,
        nextRideWithinSeconds: policies.nextRideWithinSeconds,
        quotedSecondMs: policies.quotedSecondMs,
      }),
    );
    if (offers === 0) {
      if (radiusMeters < policies.maxSearchRadiusMeters) continue;
      await sleep(Math.max(1, Math.min(policies.searchPauseMs, leftMs)), {
        summary: 'look again for a driver',
      });
      continue;
    }
    if (offers !== 'unknown') {
      await condition(
        () => !record.is('matching') || isReserved(record) || news.declinedRounds.has(round),
        policies.offerTtlMs,
        { summary: 'the offers are open' },
      );
    }
    if (!record.is('matching')) return;
    const winner = await closeOffers({ rideId, round });
    if (!winner) continue;
    if (!isReserved(record)) await adopt(record, winner);
    const reservedAtMs = Date.now();
    if (isReserved(record)) await waitForReserved(record, winner, news, policies);
    reservedMs += Date.now() - reservedAtMs;
  }
}

/** A search that could not be made until the deadline may yet have made its offers: the round is closed like any. */
async function offerOrUnknown(offer: () => Promise<number>): Promise<number | 'unknown'> {
  try {
    return await offer();
  } catch (error) {
    if (isCancellation(error)) throw error;
    return 'unknown';
  }
}

/** A winner who has given the ride back meanwhile, in a step that a lost attempt had recorded, is none. */
async function adopt(record: RideRecord, winner: AcceptedOffer): Promise<void> {
  try {
    await assignOrReserve(record, winner);
  } catch (error) {
    if (!isRefused(error, 'offer_over', 'driver_busy', 'illegal_transition')) throw error;
  }
}

/**
 * The ride is the winner's, or, while they are on another, their next one. Which of the two is Postgres's word: the
 * lease on a ride is free or it is not.
 * @throws ApplicationFailure `offer_over`, `driver_busy`, `illegal_transition`
 */
export async function assignOrReserve(record: RideRecord, winner: AcceptedOffer): Promise<Ride> {
  try {
    return await record.apply({ type: 'assignDriver', at: now(), ...winner });
  } catch (error) {
    if (!isRefused(error, 'driver_busy')) throw error;
    return record.apply({ type: 'reserveDriver', at: now(), ...winner });
  }
}

/**
 * Waits until the reserved driver's present ride is over, however it ends, and takes the lease. Whoever ends that ride
 * tells this one; if nobody does, the deadline finds out, and gives the driver up who is still not free.
 */
async function waitForReserved(
  record: RideRecord,
  winner: AcceptedOffer,
  news: SearchNews,
  policies: Policies,
): Promise<void> {
  const reservedAtMs = Date.now();
  const leftOf = () => reservationLeftMs({ reservedAtMs, nowMs: Date.now() }, policies);
  // The present ride may have ended between the accept and the reservation: then nobody was told.
  if (record.reservedIsFree) news.driverFreed = true;
  while (isReserved(record)) {
    const leftMs = leftOf();
    const summary = "the driver's present ride ends";
    if (leftMs > 0) await condition(() => !isReserved(record) || news.driverFreed, leftMs, { summary });
    if (!isReserved(record)) return;
    news.driverFreed = false;
    if (await isAssigned(record, winner)) return;
    if (leftOf() <= 0)
      await record.advance({ type: 'releaseReservation', at: now(), reason: 'driver_not_free_in_time' });
  }
}

async function isAssigned(record: RideRecord, winner: AcceptedOffer): Promise<boolean> {
  try {
    await record.apply({ type: 'assignDriver', at: now(), ...winner });
    return true;
  } catch (error) {
    // Still on the other ride; or the reservation, or this ride, was given up while this waited its turn.
    if (isRefused(error, 'driver_busy', 'offer_over', 'illegal_transition')) return false;
    throw error;
  }
}

const isReserved = (record: RideRecord): boolean =>
  record.is('matching') && record.ride.reservedDriverId !== null;

const isRefused = (error: unknown, ...codes: string[]): boolean =>
  error instanceof ApplicationFailure && codes.includes(error.type ?? '');
