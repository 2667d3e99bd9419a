import type { RideView } from '../../../../contracts/api/rides';
import { noteRefusal } from '../record';
import { askForQuote, type Trip } from '../trip';

/** How much of the drive is over when the rider has another idea. */
const AFTER_PART = [0.1, 0.25] as const;

/** Under way the rider proposes to go further; the driver answers. */
export async function proposeToGoFurther(trip: Trip, ride: RideView): Promise<void> {
  const { app, plan, random, kit } = trip;
  await kit.clock.wait(plan.driveMs * random.between(...AFTER_PART));
  const { rideId: changesRideId, pickup, stops, stopsReached: fixedStops, product } = ride;
  const further = { pickup, stops, fixedStops, dropoff: plan.further, product, changesRideId };
  const quote = await askForQuote(trip, further);
  await app
    .post(`/v1/rides/${ride.rideId}/route-changes`, { quoteToken: quote.token })
    // On a machine that is slow the ride may be over by now.
    .catch(noteRefusal(kit.record, 'illegal_transition'));
}
