import { isDeepStrictEqual } from 'node:util';
import type { Evidence, Violations } from '../evidence';
import type { GivenRating } from '../../people/record';
import { repeats } from '../evidence';

/**
 * Promise 1: what was answered with 2xx is durable: the ride as it was changed last, its claim, a tip and a rating that
 * were taken.
 */
export function every2xxFoundAgain(
  evidence: Pick<
    Evidence,
    'accepted' | 'changes' | 'tips' | 'ratings' | 'rides' | 'claims' | 'payments' | 'facts'
  >,
): Violations {
  const rides = new Map(evidence.rides.map((ride) => [ride.rideId, ride]));
  const claims = new Map(evidence.claims.map((claim) => [`${claim.caller} ${claim.key}`, claim.rideId]));
  const payments = new Map(evidence.payments.map((payment) => [payment.rideId, payment]));
  const violations: Violations = [];
  const changes = new Map(evidence.changes.map((change) => [change.rideId, change]));
  for (const { rideId, riderId, key, quoteId: firstQuoteId } of evidence.accepted) {
    const ride = rides.get(rideId);
    // A change that nobody said was made may have been made all the same.
    const asked = changes.get(rideId);
    const change = asked?.isMade || asked?.quoteId === ride?.quoteId ? asked : undefined;
    // A change of the route under way has a quote, too; the ride's remains the one that it was asked for with.
    const quoteId = change?.quoteId ?? firstQuoteId;
    if (!ride) violations.push(`ride ${rideId} was accepted and is not there`);
    else if (ride.riderId !== riderId || ride.quoteId !== quoteId) {
      violations.push(
        `ride ${rideId} is of ${ride.riderId} by quote ${ride.quoteId}, not ${riderId}, ${quoteId}`,
      );
    }
    if (ride && change && ride.scheduledFor !== change.scheduledFor) {
      violations.push(`ride ${rideId} is for ${ride.scheduledFor}, not ${change.scheduledFor}`);
    }
    if (claims.get(`${riderId} ${key}`) !== rideId)
      violations.push(`ride ${rideId} has lost its claim ${key}`);
  }
  for (const { rideId, tipMinor } of evidence.tips) {
    const found = payments.get(rideId)?.tipMinor ?? 0;
    if (found !== tipMinor)
      violations.push(`the tip of ${tipMinor} on ride ${rideId} is ${found} in its payment`);
  }
  return [...violations, ...lostRatings(evidence)];
}

function lostRatings({ ratings, facts }: Pick<Evidence, 'ratings' | 'facts'>): Violations {
  const found = new Set(
    facts
      .filter(({ type }) => type === 'rating.given')
      .map(({ data }) => data as GivenRating)
      .map(({ rideId, by, stars }) => `${rideId} ${by} ${stars}`),
  );
  return ratings
    .filter(({ rideId, by, stars }) => !found.has(`${rideId} ${by} ${stars}`))
    .map(({ rideId, by, stars }) => `the ${by}'s ${stars} stars for ride ${rideId} are not there`);
}

/** Promise 1: the same Idempotency-Key gives the same answer, and never a second ride. */
export function sameKeySameAnswer(evidence: Pick<Evidence, 'repeated' | 'claims'>): Violations {
  const violations = evidence.repeated
    .filter(({ first, again }) => first.status !== again.status || !isDeepStrictEqual(first.body, again.body))
    .map(
      ({ key, first, again }) =>
        `key ${key}: ${first.status} ${JSON.stringify(first.body)}, then ${again.status} ${JSON.stringify(again.body)}`,
    );
  const claimed = repeats(evidence.claims.map(({ rideId }) => rideId));
  return [...violations, ...claimed.map((rideId) => `ride ${rideId} has two claims`)];
}
