import { factsOfRides, type Evidence, type Violations } from '../evidence';

/**
 * DESIGN §3: a cancel costs what its preview said. Less only where something happened to the ride between the two: its
 * driver gave it back, say.
 */
export function cancelCostsItsPreview(evidence: Pick<Evidence, 'cancels' | 'facts'>): Violations {
  const byRide = factsOfRides(evidence.facts);
  return evidence.cancels.flatMap(({ rideId, previewedAt, previewedMinor }) => {
    const facts = byRide.get(rideId) ?? [];
    const end = facts.at(-1);
    if (end?.type !== 'ride.cancelled') return [`ride ${rideId} was cancelled by its rider and goes on`];
    const { by, feeMinor } = end.data as { by: string; feeMinor: number };
    if (by !== 'rider' || feeMinor === previewedMinor) return [];
    const hasChanged = facts.slice(0, -1).some(({ at }) => at >= previewedAt);
    return hasChanged && feeMinor < previewedMinor
      ? []
      : [`the cancel of ride ${rideId} cost ${feeMinor} where ${previewedMinor} was previewed`];
  });
}
