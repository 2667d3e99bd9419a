import { foldRide } from '../../domain/foldRide';
import type { Ride, RideFact } from '../../domain/ride';
import type { Queryable } from '../../platform/postgres';
import { pollLoop, type PollLoopOptions } from './pollLoop';
import { rideFactsAfter, rideVersions } from './store';

/** What happened to a ride, and the ride after it. */
export interface RideNews {
  readonly version: number;
  readonly fact: RideFact;
  readonly ride: Ride;
}

interface Follower {
  ride: Ride | null;
  version: number;
  readonly tell: (news: RideNews) => void;
}

export interface RideFeed {
  /** Tells everything that happened to the ride from its first fact on, in order, each once, until `signal`. */
  follow(rideId: string, tell: Follower['tell'], signal: AbortSignal): Promise<void>;
  /** Asks for news until the loop's signal: one query for all rides that are followed. */
  run(options: PollLoopOptions): Promise<void>;
}

/** Rides that are followed, all with one poll over their versions in Postgres. */
export function createRideFeed(db: Queryable): RideFeed {
  const followers = new Map<string, Set<Follower>>();

  async function catchUp(rideId: string): Promise<void> {
    const group = [...(followers.get(rideId) ?? [])];
    if (group.length === 0) return;
    const from = Math.min(...group.map(({ version }) => version));
    for (const { version, fact } of await rideFactsAfter(db, rideId, from)) {
      for (const follower of group) advance(follower, version, fact);
    }
  }

  return {
    async follow(rideId, tell, signal) {
      const follower: Follower = { ride: null, version: 0, tell };
      const group = followers.get(rideId) ?? new Set();
      followers.set(rideId, group.add(follower));
      const leave = (): void => {
        group.delete(follower);
        if (group.size === 0 && followers.get(rideId) === group) followers.delete(rideId);
      };
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
      // What is there already is not waited for; should it fail, the loop brings it.
      await catchUp(rideId).catch(() => undefined);
    },
    run: (options) =>
      pollLoop(async () => {
        if (followers.size === 0) return;
        const versions = await rideVersions(db, [...followers.keys()]);
        for (const [rideId, version] of versions) {
          const behind = [...(followers.get(rideId) ?? [])].some((follower) => follower.version < version);
          if (behind) await catchUp(rideId);
        }
      }, options),
  };
}

/** Two readers may bring the same fact: the version says whether it is news. */
function advance(follower: Follower, version: number, fact: RideFact): void {
  if (version !== follower.version + 1) return;
  follower.ride = foldRide(follower.ride, fact);
  follower.version = version;
  follower.tell({ version, fact, ride: follower.ride });
}
