import { setTimeout as delay } from 'node:timers/promises';
import type { House } from './house';

/** Waits for what a house commits: two queries every few milliseconds, however many wait. */
export interface Watch {
  /** The driver's open offer of this ride. */
  offerTo(driverId: string, rideId: string): Promise<string>;
  captured(rideId: string): Promise<void>;
  authorized(rideId: string): Promise<void>;
  stop(): Promise<void>;
}

const everyMs = 20;
const deadlineMs = 120_000;

interface Waiting {
  readonly resolve: (found: string) => void;
  readonly reject: (error: Error) => void;
  readonly until: number;
}

export function createWatch(house: Pick<House, 'name' | 'rides' | 'payments'>): Watch {
  const { name, rides } = house;
  const offers = new Map<string, Waiting>();
  const payments = { authorized: new Map<string, Waiting>(), captured: new Map<string, Waiting>() };
  let stopping = false;

  const wait = (on: Map<string, Waiting>, key: string): Promise<string> =>
    new Promise((resolve, reject) => on.set(key, { resolve, reject, until: Date.now() + deadlineMs }));
  const settle = (on: Map<string, Waiting>, key: string, found: string): void => {
    on.get(key)?.resolve(found);
    on.delete(key);
  };

  const look = async (): Promise<void> => {
    if (offers.size > 0) {
      const found = await rides.query<{ key: string; offer_id: string }>({
        name: 'bench-offers',
        text: `select driver_id || ' ' || ride_id as key, offer_id from offers
               where state = 'offered' and ride_id = any($1::uuid[])`,
        values: [[...offers.keys()].map((key) => key.split(' ')[1])],
      });
      for (const { key, offer_id } of found.rows) settle(offers, key, offer_id);
    }
    for (const [status, on] of Object.entries(payments)) {
      if (on.size === 0) continue;
      const found = await house.payments.query<{ id: string }>({
        name: 'bench-payments',
        text: 'select payment_id as id from payments where status = $1 and payment_id = any($2::uuid[])',
        values: [status, [...on.keys()]],
      });
      for (const { id } of found.rows) settle(on, id, id);
    }
    for (const [what, on] of Object.entries({ offered: offers, ...payments })) {
      for (const [key, { until, reject }] of on) {
        if (until > Date.now()) continue;
        on.delete(key);
        reject(new Error(`${name}: not ${what}: ${key}`));
      }
    }
  };
  const fail = (error: Error): void => {
    for (const on of [offers, ...Object.values(payments)]) {
      for (const { reject } of on.values()) reject(error);
      on.clear();
    }
  };
  const looking = (async () => {
    while (!stopping) {
      await look().catch(fail);
      await delay(everyMs);
    }
  })();

  return {
    offerTo: (driverId, rideId) => wait(offers, `${driverId} ${rideId}`),
    captured: async (rideId) => void (await wait(payments.captured, rideId)),
    authorized: async (rideId) => void (await wait(payments.authorized, rideId)),
    async stop() {
      stopping = true;
      await looking;
    },
  };
}
