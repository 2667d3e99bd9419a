import type { RideFact } from '../../../../domain/ride';
import { factsOfRides, type Evidence, type Violations } from '../evidence';

/** A scheduled ride of this run is not released, and so not paid for, before its pickup comes near. */
export function notReleasedBeforeItsTime(
  evidence: Pick<Evidence, 'accepted' | 'facts' | 'policies'>,
): Violations {
  const byRide = factsOfRides(evidence.facts);
  const { scheduleLeadMs } = evidence.policies;
  return evidence.accepted.flatMap(({ rideId }) => {
    let scheduledFor: string | null = null;
    for (const fact of (byRide.get(rideId) ?? []) as unknown as RideFact[]) {
      if (fact.type === 'ride.scheduled' || fact.type === 'ride.rescheduled') {
        scheduledFor = fact.data.scheduledFor;
      } else if (fact.type === 'ride.requested' && scheduledFor !== null) {
        const earlyMs = Date.parse(scheduledFor) - scheduleLeadMs - Date.parse(fact.at);
        if (earlyMs > 0) return [`ride ${rideId} for ${scheduledFor} was released ${earlyMs} ms too early`];
      }
    }
    return [];
  });
}
