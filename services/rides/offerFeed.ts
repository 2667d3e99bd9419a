import { createPoll, type PollOptions } from '../../platform/poll';
import type { Queryable } from '../../platform/postgres';
import { liveOffers, type LiveOffer } from './offers';

export interface OfferListener {
  readonly offered: (offer: LiveOffer) => void;
  readonly over: (offerId: string) => void;
}

interface Follower extends OfferListener {
  /** The offers that the driver was told of and that are not over. */
  readonly told: Set<string>;
}

export interface OfferFeed {
  /**
   * Tells a driver of every offer, and of its end, until the answer is called. `told` is the offer that the driver was
   * told of last, before: it is not told again, but its end is.
   */
  follow(driverId: string, told: string | undefined, listener: OfferListener): () => void;
  /**
   * Looks for offers until the loop's signal: one query for all drivers that listen, another when there are new ones.
   */
  run(options: Omit<PollOptions, 'trouble'>): Promise<void>;
}

/** New offers whose rides are read at once. */
const offersAtOnce = 200;

/** Drivers that wait for offers, all with one poll in Postgres; what is new is found in memory. */
export function createOfferFeed(db: Queryable, now: () => number): OfferFeed {
  const followers = new Map<string, Set<Follower>>();
  const poll = createPoll();

  async function look(): Promise<void> {
    if (followers.size === 0) return;
    // Who comes while we ask is seen to by the next look.
    const asked = [...followers].map(([driverId, group]) => ({ driverId, group: [...group] }));
    const live = await liveOfferIds(db, now());
    const withNews: string[] = [];
    for (const { driverId, group } of asked) {
      const ids = live.get(driverId);
      for (const { told, over } of group) {
        for (const offerId of told) if (!ids?.includes(offerId) && told.delete(offerId)) over(offerId);
      }
      if (ids?.some((id) => group.some(({ told }) => !told.has(id)))) withNews.push(driverId);
    }
    for (let from = 0; from < withNews.length; from += offersAtOnce) {
      for (const offer of await liveOffers(db, withNews.slice(from, from + offersAtOnce))) {
        if (Date.parse(offer.expiresAt) > now()) tell(followers.get(offer.driverId), offer);
      }
    }
  }

  return {
    follow(driverId, told, listener) {
      const follower: Follower = { ...listener, told: new Set(told === undefined ? [] : [told]) };
      const group = followers.get(driverId) ?? new Set();
      followers.set(driverId, group.add(follower));
      poll.soon();
      return () => {
        group.delete(follower);
        if (group.size === 0 && followers.get(driverId) === group) followers.delete(driverId);
      };
    },
    run: (options) => poll.run(look, { ...options, trouble: 'streams of drivers get no news' }),
  };
}

function tell(group: ReadonlySet<Follower> | undefined, offer: LiveOffer): void {
  for (const { told, offered } of group ?? []) {
    if (told.has(offer.offerId)) continue;
    told.add(offer.offerId);
    offered(offer);
  }
}

/** The open offers of the whole city by driver: few, as each is leased to a driver, however many drivers listen. */
async function liveOfferIds(db: Queryable, now: number): Promise<Map<string, string[]>> {
  const { rows } = await db.query<{ driverId: string; offerIds: string[] }>({
    name: 'offers-live-ids',
    text: `select driver_id as "driverId", array_agg(offer_id::text) as "offerIds" from offers
           where state = 'offered' and expires_at > $1 group by driver_id`,
    values: [new Date(now).toISOString()],
  });
  return new Map(rows.map(({ driverId, offerIds }) => [driverId, offerIds]));
}
