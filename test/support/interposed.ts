import type { RideActivities } from '../../activities/rides';
import type { Ride, RideCommandType, RideFact } from '../../domain/ride';
import type { Recorded, Step } from '../../domain/sagas';

/** Comes before the next recording of a transition: what another writer does at the worst moment. */
export type BeforeSteps = Partial<Record<RideCommandType, (step: Step<RideFact>) => Promise<unknown>>>;

/** The transitions, each with what comes before it this once. */
export function interposed(
  transitions: RideActivities['transitions'],
  before: () => BeforeSteps,
): RideActivities['transitions'] {
  const entries = Object.entries(transitions).map(([name, record]) => {
    const command = name as RideCommandType;
    const recordAfter = async (step: Step<RideFact>): Promise<Recorded<Ride>> => {
      const first = before()[command];
      delete before()[command];
      await first?.(step);
      return record(step);
    };
    return [command, recordAfter];
  });
  return Object.fromEntries(entries) as RideActivities['transitions'];
}
