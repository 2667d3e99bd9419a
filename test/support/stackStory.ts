import { v7 as uuidv7 } from 'uuid';
import type { Role } from '../../tools/stack/issuer';
import type { Stack } from '../../tools/stack/stack';
import { eventually } from './rideSaga';

export interface StackAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: {
    rideId: string;
    status: string;
    startCode: string;
    token: string;
    type: string;
    endReason: string;
  };
}

/** What people do on a whole stack, over its public API. */
export interface StackStory {
  call(
    method: string,
    path: string,
    as: readonly [Role, string],
    body?: object,
    key?: string,
  ): Promise<StackAnswer>;
  /** Asks again, as an app does, until the answer is a 2xx. */
  insist(
    method: string,
    path: string,
    as: readonly [Role, string],
    body?: object,
    key?: string,
  ): Promise<StackAnswer>;
  quote(riderId: string): Promise<string>;
  /** Requests a ride paid by card, until it is durable. */
  ride(riderId: string): Promise<string>;
  /** Registers a driver, online at the pickup. */
  driver(driverId: string): Promise<void>;
  untilRide(rideId: string, riderId: string, statuses: readonly string[]): Promise<StackAnswer['body']>;
}

const pickup = { lat: 40.73, lng: -73.99 };
const dropoff = { lat: 40.76, lng: -73.97 };

export function stackStory(stack: Stack): StackStory {
  const tokens = new Map<string, Promise<string>>();
  const tokenOf = (role: Role, sub: string): Promise<string> => {
    const known = tokens.get(`${role}/${sub}`) ?? stack.issuer.mintToken({ role, sub });
    tokens.set(`${role}/${sub}`, known);
    return known;
  };
  let sequence = 0;

  const story: StackStory = {
    async call(method, path, [role, sub], body, key) {
      const response = await fetch(`${stack.apiUrl}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${await tokenOf(role, sub)}`,
          ...(body ? { 'content-type': 'application/json' } : {}),
          ...(key ? { 'idempotency-key': key } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      const text = await response.text();
      return {
        status: response.status,
        retryAfter: response.headers.get('retry-after'),
        body: (text === '' ? {} : JSON.parse(text)) as StackAnswer['body'],
      };
    },
    insist: (...request) =>
      eventually(async () => {
        const answer = await story.call(...request).catch(() => undefined);
        return answer && answer.status < 300 ? answer : undefined;
      }, 60_000),
    async quote(riderId) {
      return (await story.insist('POST', '/v1/quotes', ['rider', riderId], { pickup, dropoff })).body.token;
    },
    async ride(riderId) {
      const body = { quoteToken: await story.quote(riderId), paymentMethod: card };
      return (await story.insist('POST', '/v1/rides', ['rider', riderId], body, uuidv7())).body.rideId;
    },
    async driver(driverId) {
      const as = ['driver', driverId] as const;
      await story.insist('PUT', '/v1/drivers/me', as, { name: driverId, plate: 'T-1' });
      await story.insist('POST', '/v1/drivers/me/online', as, {});
      const position = { ...pickup, sequence: (sequence += 1), at: new Date().toISOString() };
      await story.insist('POST', '/v1/drivers/me/positions', as, { positions: [position] });
    },
    untilRide: (rideId, riderId, statuses) =>
      eventually(async () => {
        const answer = await story
          .call('GET', `/v1/rides/${rideId}`, ['rider', riderId])
          .catch(() => undefined);
        return answer?.status === 200 && statuses.includes(answer.body.status) ? answer.body : undefined;
      }, 60_000),
  };
  return story;
}

export const card = { type: 'card', token: 'pm_card_visa' };
