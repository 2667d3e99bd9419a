import { appendFact } from '../../../platform/outbox';
import { withTransaction, type Pool } from '../../../platform/postgres';
import { spreadOf, type Spread } from '../frame';
import { inHands } from '../ground';

const TRANSACTIONS = 4_000;
const AT_ONCE = 8;
const ROUNDS = 3;

/** Transactions a second that change one row, without a fact of it and with one, in turn: what the outbox's row costs. */
export async function measureInsertCost(pool: Pool): Promise<{ without: Spread; with: Spread }> {
  await pool.query('create table bench_rides (id integer primary key, version integer not null)');
  await pool.query(`insert into bench_rides select n, 0 from generate_series(1, ${TRANSACTIONS}) as n`);
  const perSecond = async (withFact: boolean): Promise<number> => {
    const startedAt = performance.now();
    await inHands({ count: TRANSACTIONS, atOnce: AT_ONCE }, (n) =>
      withTransaction(pool, async (tx) => {
        await tx.query('update bench_rides set version = version + 1 where id = $1', [n]);
        if (withFact) await appendFact(tx, { ...fact, key: `ride-${n}`, id: `ride-${n}` });
      }),
    );
    return (TRANSACTIONS * 1_000) / (performance.now() - startedAt);
  };
  const without: number[] = [];
  const withFact: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    without.push(await perSecond(false));
    withFact.push(await perSecond(true));
  }
  // The first time is for caches and compilation.
  return { without: spreadOf(without.slice(1)), with: spreadOf(withFact.slice(1)) };
}

const fact = {
  ...{ topic: 'bench', type: 'ride.arrived', sequence: 1, time: '2026-01-01T12:00:00.000Z' },
  ...{ source: '/hailway/bench', data: { driverId: 'driver-1' } },
  ...{ correlationId: 'bench', causationId: 'bench' },
};
