import { gridDisk, latLngToCell } from 'h3-js';
import { v7 as uuidv7 } from 'uuid';
import { analytics } from '../../consumers/analytics/projection';
import { decideSurge, type Surge } from '../../consumers/analytics/surge';
import { createPool, migrate, outboxMigrations, withTransaction, type Pool } from '../../platform/postgres';
import { projectionHash } from '../../platform/projectionHash';
import { pricing as projection } from '../../services/pricing/projection';
import { createIssueQuote } from '../../services/pricing/quotes';
import { vaultInMemory } from '../../tools/vaultInMemory';
import { requested, startConsumer, type TestConsumer, type TestFact } from '../support/consumers';
import { createDatabase } from '../support/servers';

const midtown = { lat: 40.75, lng: -73.98 };
const airport = { lat: 40.645, lng: -73.785 };
const paris = { lat: 48.857, lng: 2.352 };
const cellOf = ({ lat, lng }: typeof midtown): string => latLngToCell(lat, lng, 8);
const noon = Date.parse('2026-03-01T12:00:00.000Z');
const minutesLater = (minutes: number): number => noon + minutes * 60_000;

describe('analytics decides surge', () => {
  let pool: Pool;
  beforeEach(async () => {
    pool = createPool(await createDatabase('analytics'), { applicationName: 'test', max: 4 });
  });
  afterEach(() => pool?.end());

  const happened = async (minute: number, cell: string, riders: number, freed: number) => {
    const at = new Date(minutesLater(minute)).toISOString();
    await pool.query('insert into demand (minute, cell, freed) values ($1, $2, $3)', [at, cell, freed]);
    await pool.query(
      `insert into askers (place, cell, asked_at)
       select coalesce((select max(place) from askers), 0) + n, $2, $1 from generate_series(1, $3::int) as n`,
      [at, cell, riders],
    );
  };
  const decide = (minute: number): Promise<Surge[]> =>
    decideSurge(pool, { atMs: minutesLater(minute), topicPrefix: 'city-' });
  const published = async () => {
    const { rows } = await pool.query<{ topic: string; key: string; sequence: number; multiplier: number }>(
      `select topic, key, (headers->>'ce_sequence')::int as sequence, (value::jsonb->'multiplier')::float as multiplier
       from outbox order by id`,
    );
    return rows;
  };

  test('where more ask than drivers become free, and around it: once, and as a fact with what it comes from', async () => {
    const cell = cellOf(midtown);
    await happened(-1, cell, 40, 20);
    await happened(-1, cellOf(airport), 40, 40);
    // Fifteen digits that are no cell, as a fact may name them.
    await happened(-1, 'fffffffffffffff', 40, 0);
    const changed = await decide(0);
    expect(changed.map((surge) => surge.cell).sort()).toEqual(gridDisk(cell, 1).sort());
    const weight = 0.5 ** (1 / 5);
    for (const surge of changed)
      expect(surge).toMatchObject({
        ...{ multiplier: 1.5, validUntil: '2026-03-01T12:10:00.000Z' },
        ...{ demand: Math.round(4_000 * weight) / 100, supply: Math.round(2_000 * weight) / 100 },
      });
    expect(await decide(0)).toEqual([]);
    const facts = await published();
    expect(facts).toHaveLength(7);
    expect(facts).toContainEqual({ topic: 'city-pricing', key: cell, sequence: 1, multiplier: 1.5 });
  });

  test('anew before it would be over, and back to 1 when nobody asks any more, without a further fact', async () => {
    const cell = cellOf(midtown);
    await happened(-1, cell, 400, 10);
    const of = (surges: Surge[]) => surges.find((surge) => surge.cell === cell)?.multiplier;
    expect(of(await decide(0))).toBe(3);
    expect(of(await decide(4))).toBeUndefined();
    // Half of its time is over.
    expect(of(await decide(6))).toBe(3);
    // Nothing is in the window.
    expect(of(await decide(15))).toBe(1);
    expect(of(await decide(30))).toBeUndefined();
    const versions = (await published()).filter(({ key }) => key === cell);
    expect(versions.map(({ sequence, multiplier }) => [sequence, multiplier])).toEqual([
      ...[
        [1, 3],
        [2, 3],
        [3, 1],
      ],
    ]);
  });

  test('first where it would be over first, however much changes elsewhere', async () => {
    const cell = cellOf(midtown);
    await happened(-1, cell, 400, 10);
    await decide(0);
    for (const far of gridDisk(cellOf(paris), 13)) await happened(5, far, 40, 0);
    const changed = await decide(6);
    expect(changed).toHaveLength(500);
    expect(changed.slice(0, 7).map((surge) => surge.cell)).toEqual(gridDisk(cell, 1).sort());
  });

  test('what has run out while nobody decided was 1: it is said again where it is more by now', async () => {
    const cell = cellOf(midtown);
    await happened(-1, cell, 400, 10);
    await decide(0);
    await happened(29, cell, 400, 10);
    expect((await decide(30)).map(({ multiplier }) => multiplier)).toEqual(Array(7).fill(3));
  });

  test('one process at a time', async () => {
    await happened(-1, cellOf(midtown), 40, 20);
    await withTransaction(pool, async (tx) => {
      await tx.query(`select pg_advisory_xact_lock(hashtext('analytics surge'))`);
      expect(await decide(0)).toEqual([]);
    });
    const both = await Promise.all([decide(0), decide(0)]);
    expect(both.flat()).toHaveLength(7);
    expect(await published()).toHaveLength(7);
  });
});

describe('analytics counts riders, not requests', () => {
  const counted: TestConsumer[] = [];
  const counting = async (): Promise<TestConsumer> => {
    const consumer = await startConsumer(analytics);
    counted.push(consumer);
    await migrate(consumer.databaseUrl, [outboxMigrations]);
    return consumer;
  };
  afterEach(() => Promise.all(counted.splice(0).map((consumer) => consumer.stop())));

  const asks = (riderId: string, where: typeof midtown, second: number): TestFact => {
    const rideId = uuidv7();
    return {
      ...{ topic: 'rides', key: rideId, sequence: 1, type: 'ride.requested' },
      time: new Date(noon + second * 1_000).toISOString(),
      data: { ...requested(rideId, riderId, where), pickupCell: cellOf(where) },
    };
  };
  const decide = async ({ pool }: TestConsumer) => {
    const changed = await decideSurge(pool, { atMs: minutesLater(1), topicPrefix: '' });
    return changed.find((surge) => surge.cell === cellOf(midtown));
  };

  test('who asks again and again is one, and where they asked last', async () => {
    const consumer = await counting();
    const again = Array.from({ length: 40 }, (_, n) => asks('impatient', n % 2 ? midtown : airport, n));
    await consumer.deliver([...again, ...[1, 2, 3, 4].map((n) => asks(`rider-${n}`, midtown, n))]);
    // Five by now, the fewest that count.
    expect(await decide(consumer)).toBeUndefined();
    await consumer.deliver([5, 6, 7].map((n) => asks(`rider-${n}`, midtown, n)));
    const demand = 8 * 0.5 ** (1 / 5);
    expect(await decide(consumer)).toMatchObject({ demand: Math.round(demand * 100) / 100, multiplier: 3 });
  });

  test('in whatever order their facts come, it is the same', async () => {
    const facts = Array.from({ length: 60 }, (_, n) =>
      asks(`rider-${n % 9}`, [midtown, airport, paris][n % 3]!, Math.floor(n / 4)),
    );
    const hashes = [];
    for (const order of [facts, [...facts].reverse(), [...facts.slice(30), ...facts.slice(0, 30)]]) {
      const consumer = await counting();
      for (const fact of order) await consumer.deliver([fact]);
      hashes.push(await projectionHash(consumer.pool, [{ name: 'askers' }]));
    }
    expect(new Set(hashes).size).toBe(1);
  });
});

describe('pricing heeds surge', () => {
  let consumer: TestConsumer;
  beforeAll(async () => {
    consumer = await startConsumer(projection);
    await migrate(consumer.databaseUrl, [outboxMigrations]);
  });
  afterAll(() => consumer?.stop());

  const surge = (sequence: number, multiplier: number): TestFact => ({
    ...{ topic: 'pricing', key: cellOf(midtown), sequence, type: 'surge.changed' },
    time: new Date(noon).toISOString(),
    data: {
      ...{ cell: cellOf(midtown), multiplier, demand: 40, supply: 20 },
      validUntil: new Date(minutesLater(10)).toISOString(),
    },
  });
  const quoteAt = (minute: number, pickup = midtown, scheduledFor: string | null = null) =>
    createIssueQuote({
      ...{ pool: consumer.pool, vault: vaultInMemory(), secret: 'the secret of the quotes' },
      ...{ quoteTtlMs: 60_000, topicPrefix: '', now: () => minutesLater(minute) },
    })('rider-1', {
      ...{ pickup, stops: [], dropoff: { lat: 40.7769, lng: -73.874 }, fixedStops: 0 },
      ...{ product: 'standard', scheduledFor },
    });
  const surchargeOf = ({ fare }: Awaited<ReturnType<typeof quoteAt>>): number =>
    fare.lines.find(({ kind }) => kind === 'surge')?.amountMinor ?? 0;

  test('quotes are multiplied in its cell, as it was said last, for as long as that is good', async () => {
    const plain = await quoteAt(1);
    await consumer.deliver([surge(1, 3), surge(2, 1.5)]);
    const quote = await quoteAt(1);
    expect([plain.surge, quote.surge]).toEqual([1, 1.5]);
    const kinds = ['base', 'distance', 'time', 'minimum'];
    const metered = quote.fare.lines.filter(({ kind }) => kinds.includes(kind));
    const sum = metered.reduce((total, { amountMinor }) => total + amountMinor, 0);
    expect(surchargeOf(quote)).toBe(Math.round(sum / 2));
    expect((await quoteAt(1, airport)).surge).toBe(1);
    // What is so now says nothing of tomorrow.
    expect((await quoteAt(1, midtown, '2026-03-02T12:00:00.000Z')).surge).toBe(1);
    // Nobody has said anything for too long.
    expect((await quoteAt(10)).surge).toBe(1);
    await consumer.deliver([surge(3, 1)]);
    expect((await quoteAt(1)).surge).toBe(1);
  });

  test('a quote says its cell in its fact, so that it is counted without anybody’s place', async () => {
    await quoteAt(1);
    const { rows } = await consumer.pool.query<{ value: string }>(
      `select value from outbox where topic = 'pricing' order by id desc limit 1`,
    );
    expect(JSON.parse(rows[0]!.value)).toMatchObject({
      pickupCell: cellOf(midtown),
      pickup: { lat: 0, lng: 0 },
    });
  });
});
