import type { RideView } from '../../../contracts/api/rides';
import type { Point } from '../../../domain/geo';
import { createApp, type AppKit } from '../client/app';
import type { CityClock } from '../clock';
import type { RidePlan } from '../input/plan';
import { seededRandom } from '../random';

/**
 * What rider and driver say to each other without the API: where it goes (and whether one wants to go there), how
 * the traffic will be, and the start code at the car's door.
 */
export interface Street {
  /** A ride of this plan is about to go to this dropoff, or may go there instead. */
  expect(plan: RidePlan, dropoff: Point): void;
  /** The ride is over. */
  forget(plan: RidePlan): void;
  /** The plan behind a ride, known by where it goes; undefined for a ride of an earlier run. */
  planOf(ride: { readonly dropoff: Point }): RidePlan | undefined;
  /** Whether its driver shall give this ride back: the first does, the next one drives. */
  givesBack(ride: RideView): boolean;
  /** Whether its driver agrees when the rider wants to go further. */
  goesFurther(ride: RideView): boolean;
  /** Waits for the rider at the pickup. The code, or null when the rider does not come. */
  askForCode(ride: RideView): Promise<string | null>;
}

/** How long riders let their drivers wait, in the city's milliseconds. */
const COMES_AFTER_MS = [15_000, 75_000] as const;
/** Longer than is free, and less than a driver's patience. */
const COMES_LATE_AFTER_MS = [140_000, 220_000] as const;

export function createStreet(kit: AppKit, clock: CityClock, seed: string): Street {
  const plans = new Map<string, RidePlan>();
  const givenBack = new Set<number>();
  const placeOf = ({ dropoff }: { readonly dropoff: Point }): string => `${dropoff.lat},${dropoff.lng}`;
  const planOf: Street['planOf'] = (ride) => plans.get(placeOf(ride));
  return {
    expect: (plan, dropoff) => void plans.set(placeOf({ dropoff }), plan),
    forget(plan) {
      for (const [place, expected] of plans) if (expected === plan) plans.delete(place);
      givenBack.delete(plan.number);
    },
    planOf,
    givesBack(ride) {
      const plan = planOf(ride);
      if (plan?.persona !== 'driverCancels' || givenBack.has(plan.number)) return false;
      givenBack.add(plan.number);
      return true;
    },
    goesFurther: (ride) => planOf(ride)?.persona !== 'goesNoFurther',
    async askForCode(ride) {
      const plan = planOf(ride);
      const persona = plan?.persona;
      if (persona === 'noShow' || persona === 'riderCancelsAssigned') return null;
      const comesAfterMs: readonly [number, number] =
        persona === 'keepsWaiting' ? COMES_LATE_AFTER_MS : COMES_AFTER_MS;
      await clock.wait(seededRandom(seed, 'door', plan?.number ?? ride.rideId).between(...comesAfterMs));
      const { startCode } = await createApp(kit, 'rider', ride.riderId).get<RideView>(
        `/v1/rides/${ride.rideId}`,
      );
      return startCode ?? null;
    },
  };
}
