import { v7 as uuidv7 } from 'uuid';
import type { RideCommand } from '../../domain/ride';
import { apiStory, type Person } from './apiStory';
import { at, play, rideRequest, standardRide, startOfStory } from './rides';

/** When the standard ride is over, in milliseconds after its start. */
export const endOfStory = 1_200_000;

/** The API, and rides of rider-1 with `driver` that are written, not carried: nothing gets as far as a workflow. */
export function writtenRides() {
  const story = apiStory({ workers: false });
  const driver: Person = ['driver', 'driver-1'];

  beforeAll(async () => {
    await story.api.call('PUT', '/v1/drivers/me', {
      as: driver,
      body: { name: 'Ada', plate: 'T-42', product: 'standard' },
    });
  });
  beforeEach(() => clockAt(endOfStory + 1));
  afterEach(async () => {
    story.api.clockMs = 0;
    story.api.whereabouts.clear();
    await story.api.rides.query('truncate rides, ratings, rating_totals, share_rounds, steps, outbox');
  });

  /** Moves the gateway's clock to so many milliseconds after the rides' story began. */
  function clockAt(ms: number): void {
    story.api.clockMs = Date.parse(startOfStory) + ms - Date.now();
  }

  /** A ride as far as these many steps of the standard one, and what else happens to it. */
  async function written(steps: number, ...more: RideCommand[]): Promise<string> {
    const rideId = uuidv7();
    const [, ...others] = standardRide.slice(0, steps);
    const request = { type: 'request', at: at(0), request: rideRequest({ rideId }) } as const;
    const { ride } = play([request, ...others, ...more]);
    await story.api.rides.query('insert into rides (ride_id, version, state) values ($1, $2, $3)', [
      ...[rideId, ride.version, JSON.stringify(ride)],
    ]);
    return rideId;
  }

  return { story, driver, clockAt, written };
}
