import type { ShareView } from '../../../../contracts/api/companionOperations';
import { noteRefusal } from '../record';
import type { Trip } from '../trip';

const LOOKS = 3;
/** Between two looks of a friend, in the city's milliseconds. */
const LOOKS_AFTER_MS = [20_000, 150_000] as const;

/**
 * Sends a link to the ride to a friend, who looks now and then; some riders take it back, and the friend tries again.
 */
export async function shareWithFriend(trip: Trip): Promise<void> {
  const { app, plan, rideId, random, kit } = trip;
  const share = async (): Promise<void> => {
    const { url } = await app.post<ShareView>(`/v1/rides/${rideId}/share`);
    for (let looks = 0; looks < LOOKS; looks++) {
      await look(trip, url, false);
      await kit.clock.wait(random.between(...LOOKS_AFTER_MS));
    }
    if (plan.share !== 'takesBack') return;
    await app.delete(`/v1/rides/${rideId}/share`);
    await look(trip, url, true);
  };
  // The ride may have ended before there was a link.
  await share().catch(noteRefusal(kit.record, 'share_not_possible'));
}

/** Anybody's look at a link: without a token. */
async function look({ rideId, kit }: Trip, url: string, takenBack: boolean): Promise<void> {
  const { pathname: path } = new URL(url);
  const seen = await kit.app.wire.call({ method: 'GET', path }, kit.app.signal).catch(() => null);
  kit.app.signal.throwIfAborted();
  // While the API is away a friend sees nothing, which says nothing.
  if (seen === null || seen.status >= 500) return;
  kit.record.memories.looks.push({ rideId, takenBack, status: seen.status, body: seen.body });
}
