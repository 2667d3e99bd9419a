import type { Queryable } from '../../platform/postgres';
import { liveOffers, type LiveOffer } from './offers';
import { pollLoop, type PollLoopOptions } from './pollLoop';

interface Listener {
  /** The offers that the driver was told of and that are not over. */
  readonly live: Set<string>;
  readonly offered: (offer: LiveOffer) => void;
  readonly over: (offerId: string) => void;
}

export interface OfferFeed {
  /** Tells a driver of every offer, and of its end, until `signal`. */
  follow(driverId: string, listener: Omit<Listener, 'live'>, signal: AbortSignal): void;
  /** Asks for offers until the loop's signal: one query for all drivers that listen. */
  run(options: PollLoopOptions): Promise<void>;
}

/** Drivers that wait for offers, all with one poll in Postgres; what is new is found in memory. */
export function createOfferFeed(db: Queryable, now: () => number): OfferFeed {
  const listeners = new Map<string, Set<Listener>>();

  return {
    follow(driverId, listener, signal) {
      const mine: Listener = { ...listener, live: new Set() };
      const group = listeners.get(driverId) ?? new Set();
      listeners.set(driverId, group.add(mine));
      const leave = (): void => {
        group.delete(mine);
        if (group.size === 0 && listeners.get(driverId) === group) listeners.delete(driverId);
      };
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
    },
    run: (options) =>
      pollLoop(async () => {
        if (listeners.size === 0) return;
        const asked = [...listeners.keys()];
        const offers = new Map<string, LiveOffer[]>();
        for (const offer of await liveOffers(db, asked)) {
          if (Date.parse(offer.expiresAt) <= now()) continue;
          offers.set(offer.driverId, [...(offers.get(offer.driverId) ?? []), offer]);
        }
        for (const driverId of asked) {
          for (const listener of listeners.get(driverId) ?? []) tell(listener, offers.get(driverId) ?? []);
        }
      }, options),
  };
}

function tell({ live, offered, over }: Listener, offers: readonly LiveOffer[]): void {
  const ids = new Set(offers.map(({ offerId }) => offerId));
  for (const offerId of live) {
    if (ids.has(offerId)) continue;
    live.delete(offerId);
    over(offerId);
  }
  for (const offer of offers) {
    if (live.has(offer.offerId)) continue;
    live.add(offer.offerId);
    offered(offer);
  }
}
