import { noteRefusal } from '../record';
import type { Trip } from '../trip';

/** How much of the drive is over when the rider wants to get out. */
const AFTER_PART = [0.3, 0.6] as const;

/** The rider gets out before the dropoff, and pays for what was driven. */
export async function getOutEarly({ app, plan, rideId, random, kit }: Trip): Promise<void> {
  await kit.clock.wait(plan.driveMs * random.between(...AFTER_PART));
  await app
    .post(`/v1/rides/${rideId}/end`, { reason: 'changed_mind' })
    // On a machine that is slow the ride may be over by now.
    .catch(noteRefusal(kit.record, 'illegal_transition'));
}
