import { sharedRideView } from '../../../../contracts/api/companionOperations';
import { drivingStatuses } from '../../../../domain/ride';
import type { SharedLook } from '../../people/record';
import type { Evidence, Violations } from '../evidence';

/**
 * Whoever has a link sees what the API says that it shows, and nothing more: not who rides, nor by which code, nor what
 * it costs; the driver only while there is one; and nothing at all when the link was taken back.
 */
export function sharedLinksShowNoMore(evidence: Pick<Evidence, 'looks' | 'rides'>): Violations {
  const rides = new Map(evidence.rides.map((ride) => [ride.rideId, ride]));
  return evidence.looks.flatMap((look) => {
    if (look.status !== 200) return [];
    const { rideId, takenBack } = look;
    if (takenBack) return [`the link to ride ${rideId} was taken back and still shows it`];
    const ride = rides.get(rideId);
    const ids = [rideId, ride?.riderId, ride?.driverId, ride?.quoteId];
    return [...tooMuchIn(look), ...idsIn(look, ids)].map(
      (what) => `the link to ride ${rideId} shows ${what}`,
    );
  });
}

function tooMuchIn({ body }: SharedLook): string[] {
  const seen = sharedRideView.safeParse(body);
  if (!seen.success) return seen.error.issues.map(({ path, message }) => `${path.join('.')} (${message})`);
  const { status, driver } = seen.data;
  return driver !== null && !drivingStatuses.includes(status) ? [`a driver of a ride that is ${status}`] : [];
}

function idsIn({ body }: SharedLook, ids: readonly (string | null | undefined)[]): string[] {
  const text = JSON.stringify(body);
  return ids.filter((id) => typeof id === 'string' && text.includes(`"${id}"`)) as string[];
}
