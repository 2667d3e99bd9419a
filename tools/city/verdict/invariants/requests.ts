import { isDeepStrictEqual } from 'node:util';
import type { Evidence, Violations } from '../evidence';
import { repeats } from '../evidence';

/** Promise 1: what was answered with 2xx is durable: the ride, its claim, and a tip that was taken. */
export function every2xxFoundAgain(
  evidence: Pick<Evidence, 'accepted' | 'tips' | 'rides' | 'claims' | 'payments'>,
): Violations {
  const rides = new Map(evidence.rides.map((ride) => [ride.rideId, ride]));
  const claims = new Map(evidence.claims.map((claim) => [`${claim.caller} ${claim.key}`, claim.rideId]));
  const payments = new Map(evidence.payments.map((payment) => [payment.rideId, payment]));
  const violations: Violations = [];
  for (const { rideId, riderId, key, quoteId } of evidence.accepted) {
    const ride = rides.get(rideId);
    if (!ride) violations.push(`ride ${rideId} was accepted and is not there`);
    else if (ride.riderId !== riderId || ride.quoteId !== quoteId) {
      violations.push(
        `ride ${rideId} is of ${ride.riderId} by quote ${ride.quoteId}, not ${riderId}, ${quoteId}`,
      );
    }
    if (claims.get(`${riderId} ${key}`) !== rideId)
      violations.push(`ride ${rideId} has lost its claim ${key}`);
  }
  for (const { rideId, tipMinor } of evidence.tips) {
    const found = payments.get(rideId)?.tipMinor ?? 0;
    if (found !== tipMinor)
      violations.push(`the tip of ${tipMinor} on ride ${rideId} is ${found} in its payment`);
  }
  return violations;
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
