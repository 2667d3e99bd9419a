import { foldRide } from '../../domain/foldRide';
import type { Ride, RideFact } from '../../domain/ride';
import { changedSince } from '../../platform/outbox';
import { createPoll, type PollOptions } from '../../platform/poll';
import type { Queryable } from '../../platform/postgres';
import { rideFactsOf } from './store';

/** What happened to a ride, and the ride after it. */
export interface RideNews {
  readonly version: number;
  readonly fact: RideFact;
  readonly ride: Ride;
}

interface Follower {
  /** All up to here is told. */
  version: number;
  readonly tell: (news: RideNews) => void;
}

export interface RideFeed {
  /**
   * Tells everything that happened to the ride after version `after` (0 for all), in order, each once, until the
   * answer is called.
   */
  follow(rideId: string, after: number, tell: (news: RideNews) => void): () => void;
  /** Looks for news until the loop's signal: two queries for all rides that are followed. */
  run(options: Omit<PollOptions, 'trouble'>): Promise<void>;
}

/** Rides whose facts are read at once. */
const ridesAtOnce = 100;
/** Above this it is cheaper to look at every ride that is followed. */
const changesAtOnce = 20_000;

/**
 * Rides that are followed. What costs is rides that change, not rides that are followed: Postgres is asked which
 * aggregates have steps since the last look, whose commits no snapshot can miss. Nothing but a version is kept for a
 * follower; the facts of a ride that changed are read and folded from the first.
 */
export function createRideFeed(db: Queryable): RideFeed {
  const followers = new Map<string, Set<Follower>>();
  /** Followed rides with facts that a follower may not have been told. Kept until they were read. */
  const unread = new Set<string>();
  let lookedAt: string | null = null;
  const poll = createPoll();

  async function look(): Promise<void> {
    const { snapshot, ids } = await changedSince(db, lookedAt, changesAtOnce);
    lookedAt = snapshot;
    for (const id of ids ?? followers.keys()) if (followers.has(id)) unread.add(id);
    while (unread.size > 0) {
      const some = [...unread].slice(0, ridesAtOnce);
      const facts = await rideFactsOf(db, some);
      for (const rideId of some) {
        unread.delete(rideId);
        tellAll(followers.get(rideId), facts.get(rideId) ?? []);
      }
    }
  }

  return {
    follow(rideId, after, tell) {
      const follower: Follower = { version: after, tell };
      const group = followers.get(rideId) ?? new Set();
      followers.set(rideId, group.add(follower));
      // Entered before its facts are read: one that is committed meanwhile is read now or seen by the next look.
      unread.add(rideId);
      poll.soon();
      return () => {
        group.delete(follower);
        if (group.size === 0 && followers.get(rideId) === group) followers.delete(rideId);
      };
    },
    run: (options) => poll.run(look, { ...options, trouble: 'streams of rides get no news' }),
  };
}

function tellAll(group: ReadonlySet<Follower> | undefined, facts: readonly RideFact[]): void {
  if (group === undefined) return;
  let ride: Ride | null = null;
  for (const fact of facts) {
    ride = foldRide(ride, fact);
    const { version } = ride;
    for (const follower of group) {
      if (follower.version >= version) continue;
      follower.version = version;
      follower.tell({ version, fact, ride });
    }
  }
}
