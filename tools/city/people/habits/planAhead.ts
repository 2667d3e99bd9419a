import type { RideView } from '../../../../contracts/api/rides';
import type { CityClock } from '../../clock';
import { noteRefusal } from '../record';
import { askForQuote, type Trip } from '../trip';

/** Longer than a request is on its way, in our own time: at a high speed it would come too late for its schedule. */
const ON_ITS_WAY_MS = 5_000;

/** The time of a pickup this much later on the city's clock, as the API has it. */
export const pickupTime = (aheadMs: number, clock: CityClock): string =>
  new Date(Date.now() + aheadMs / clock.speed + ON_ITS_WAY_MS).toISOString();

/** How long a plan stands, in the city's milliseconds. */
const CHANGES_AFTER_MS = [15_000, 60_000] as const;

/** Changes a ride that waits for its time: later, and to somewhere else. */
export async function changePlan(trip: Trip, ride: RideView): Promise<void> {
  const { app, plan, rideId, random, kit } = trip;
  await kit.clock.wait(random.between(...CHANGES_AFTER_MS));
  const scheduledFor = pickupTime(plan.aheadMs, kit.clock);
  const { pickup, product } = ride;
  const quote = await askForQuote(trip, { pickup, stops: [], dropoff: plan.further, product, scheduledFor });
  const isMade = await app.patch<RideView>(`/v1/rides/${rideId}`, { quoteToken: quote.token }).then(
    () => true,
    (error: unknown) => {
      // While the API was away the quote may have expired, or the ride begun.
      noteRefusal(kit.record, 'quote_expired', 'illegal_transition')(error);
      return false;
    },
  );
  kit.record.memories.changes.push({ rideId, isMade, quoteId: quote.quoteId, scheduledFor });
}
