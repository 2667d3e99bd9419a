import { v7 as uuidv7 } from 'uuid';
import { createEndpoint, houseEndpointId, setHouseEndpoint } from '../../consumers/notifications/endpoints';
import { takeDue, type TakeOptions } from '../../consumers/notifications/queue';
import { createPool, type Pool } from '../../platform/postgres';
import { eventually, stopAll } from '../support/backbone';
import { createDatabase } from '../support/servers';
import { delivering, Receiver } from '../support/webhooks';

let pool: Pool;
let receivers: Receiver[] = [];
beforeEach(async () => {
  pool = createPool(await createDatabase('notifications'), { applicationName: 'test' });
});
afterEach(async () => {
  // First, so that no post hangs any longer.
  await Promise.all(receivers.map((receiver) => receiver.close()));
  receivers = [];
  await stopAll();
  await pool.end();
});

/** An endpoint of this owner. Nothing listens at its address unless one is given. */
async function endpoint(owner: string, url = `http://127.0.0.1:9/${uuidv7()}`): Promise<string> {
  const { webhookId } = await createEndpoint(pool, { role: 'rider', id: owner }, { url, description: '' });
  return webhookId;
}

/** So many deliveries to an endpoint, due since so many seconds. */
async function due(endpointId: string, count: number, sinceSeconds = 60): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    const id = uuidv7();
    await pool.query(
      `insert into deliveries (delivery_id, endpoint_id, fact_id, ride_id, body, next_attempt_at)
       values ($1, $2, 'fact', $1, $3, now() - $4 * interval '1 second')`,
      [id, endpointId, JSON.stringify({ id }), sinceSeconds],
    );
  }
}

/** To whom what was taken goes, as often as it does. */
async function taken(options: Partial<TakeOptions>): Promise<string[]> {
  const all = { limit: 100, perEndpoint: 8, perOwner: 16, busy: new Map(), leaseMs: 600_000, ...options };
  return (await takeDue(pool, all)).map(({ endpointId }) => endpointId).sort();
}

test('who has waited longest is first, and nobody gets a second before all have one', async () => {
  const [late, early, middle] = [await endpoint('a'), await endpoint('b'), await endpoint('c')];
  await due(late, 3, 10);
  await due(early, 3, 30);
  await due(middle, 3, 20);
  expect(await taken({ limit: 2 })).toEqual([early, middle].sort());
  expect(await taken({ limit: 4 })).toEqual([late, early, early, middle].sort());
});

test('one owner has so many places, however many their endpoints are', async () => {
  const [first, second, other] = [await endpoint('a'), await endpoint('a'), await endpoint('b')];
  for (const one of [first, second, other]) await due(one, 4);
  const busy = new Map([[first, 3]]);
  expect(await taken({ perOwner: 5, busy })).toEqual([second, second, other, other, other, other].sort());
  expect(await taken({ perOwner: 3, busy })).toEqual([]);
});

test('the house is told while all places are taken by those who are slow', async () => {
  const [slow, house] = [await new Receiver('slow').open(), await new Receiver('house').open()];
  receivers.push(slow, house);
  slow.answer = null;
  for (const owner of ['a', 'b', 'c']) await due(await endpoint(owner, slow.url), 4);
  await setHouseEndpoint(pool, { url: house.url, secret: house.secret });
  delivering(pool, { timeoutMs: 600_000, atOnce: 8 });
  await eventually(
    () => slow.refused.length,
    (n) => n === 8,
  );
  await due(houseEndpointId, 12, 0);
  await eventually(
    () => house.received.length,
    (n) => n === 12,
  );
  expect(slow.refused).toHaveLength(8);
});
