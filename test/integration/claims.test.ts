import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { createPool, type Pool } from '../../platform/postgres';
import { claimRequest } from '../../services/rides/claims';
import { createDatabase } from '../support/servers';

let pool: Pool;
beforeAll(async () => {
  pool = createPool(await createDatabase('rides'), { applicationName: 'test', max: 16 });
});
afterAll(() => pool.end());

const request = () => ({
  caller: 'rider-1',
  key: randomUUID(),
  bodyHash: 'hash',
  quoteId: randomUUID(),
  now: new Date().toISOString(),
});

test('of requests at once with one key and one quote, all get the claim of the first', async () => {
  for (let round = 0; round < 200; round++) {
    const same = request();
    const claims = await Promise.all(
      Array.from({ length: 8 }, () => claimRequest(pool, { ...same, rideId: uuidv7() })),
    );
    expect(new Set(claims.map(({ rideId }) => rideId)).size).toBe(1);
  }
});

test('another key with the same quote is refused', async () => {
  const first = request();
  await claimRequest(pool, { ...first, rideId: uuidv7() });
  const other = { ...first, key: randomUUID(), rideId: uuidv7() };
  await expect(claimRequest(pool, other)).rejects.toMatchObject({ code: 'quote_used' });
});
