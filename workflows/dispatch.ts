import {
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  sleep,
} from '@temporalio/workflow';
import type { RideActivities } from '../activities/rides';
import { radiusOfSearch } from '../domain/dispatch';
import type { Policies } from '../domain/policies';
import type { AcceptedOffer } from '../domain/sagas';
import type { RideRecord } from './rideRecord';
import { ownDatabase } from './steps';

type Dispatch = RideActivities['dispatch'];

/**
 * Offers the ride to drivers nearby, one batch after another and each from further away, until one has accepted, the deadline has passed or the
 * ride has left `matching` in another way. Who wins is decided in Postgres; a winner whose Update never came is
 * adopted when the batch is closed.
 */
export async function match(
  record: RideRecord,
  declinedRounds: ReadonlySet<number>,
  policies: Policies,
): Promise<void> {
  const rounds = new CancellationScope();
  const offering = rounds.run(() => offerInRounds(record, declinedRounds, policies));
  offering.catch(() => undefined);
  try {
    await Promise.race([offering, condition(() => !record.is('matching'))]);
  } finally {
    rounds.cancel();
    // A step in hand is short: nothing of the search is still under way when the ride goes on, or ends.
    await offering.catch(() => undefined);
  }
}

async function offerInRounds(
  record: RideRecord,
  declinedRounds: ReadonlySet<number>,
  policies: Policies,
): Promise<void> {
  const { rideId, matchingSince } = record.ride;
  const deadlineMs = Date.parse(matchingSince ?? now()) + policies.matchingDeadlineMs;
  const { offerRide } = ownDatabase<Dispatch>(`${policies.matchingDeadlineMs}ms`);
  const { closeOffers } = ownDatabase<Dispatch>();
  // Rounds are numbered through the ride's whole life: its version tells a rematch from the first search.
  const firstRound = record.ride.version * 1_000;
  for (let round = firstRound; record.is('matching'); round += 1) {
    const leftMs = deadlineMs - Date.now();
    if (leftMs <= 0) return record.advance({ type: 'giveUpMatching', at: now() });
    const radiusMeters = radiusOfSearch(round - firstRound, policies);
    const offers = await offerOrUnknown(() =>
      offerRide({
        rideId,
        round,
        ttlMs: policies.offerTtlMs,
        batchSize: policies.offerBatchSize,
        radiusMeters,
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
      await condition(() => !record.is('matching') || declinedRounds.has(round), policies.offerTtlMs);
    }
    if (!record.is('matching')) return;
    const winner = await closeOffers({ rideId, round });
    if (winner) await adopt(record, winner);
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
    await record.advance({ type: 'assignDriver', at: now(), ...winner });
  } catch (error) {
    if (!(error instanceof ApplicationFailure) || !['offer_over', 'driver_busy'].includes(error.type ?? ''))
      throw error;
  }
}

const now = (): string => new Date(Date.now()).toISOString();
