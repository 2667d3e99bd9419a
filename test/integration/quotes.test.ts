import { MAX_DROPS, wayMeters } from '../../domain/courier';
import { createPool, type Pool } from '../../platform/postgres';
import { createIssueQuote, type IssueQuote } from '../../services/pricing/quotes';
import { readQuote } from '../../services/rides/quoteToken';
import { createDatabase } from '../support/servers';
import { vaultInMemory } from '../../tools/vaultInMemory';

const secret = 'the secret of the quotes';
/** 3 in the afternoon in New York. */
const afternoon = '2026-03-03T20:00:00.000Z';
const early = '2026-03-04T10:00:00.000Z';

let pool: Pool;
let issueQuote: IssueQuote;
beforeAll(async () => {
  pool = createPool(await createDatabase('pricing'), { applicationName: 'test' });
  const clock = { now: () => Date.parse(afternoon) };
  issueQuote = createIssueQuote({
    pool,
    vault: vaultInMemory(),
    secret,
    quoteTtlMs: 60_000,
    topicPrefix: '',
    ...clock,
  });
});
afterAll(() => pool?.end());

const pickup = { lat: 40.7359, lng: -73.9911 };
const trip = {
  pickup,
  stops: [],
  dropoff: { lat: 40.7769, lng: -73.874 },
  fixedStops: 0,
  product: 'standard' as const,
  scheduledFor: null,
};

describe('a quote', () => {
  test('has a line for everything that is charged, and the token says the same', async () => {
    const { token, ...quote } = await issueQuote('rider-1', {
      ...trip,
      stops: [{ lat: 40.75, lng: -73.95 }],
    });
    expect(quote.fare.lines.map(({ kind }) => kind)).toEqual([
      ...['base', 'distance', 'time', 'stop'],
      ...['tax', 'tax', 'tax'],
    ]);
    expect(await readQuote(secret, token, { riderId: 'rider-1' })).toEqual({ ...quote, riderId: 'rider-1' });
  });

  test('for later takes the time of that hour, and says when', async () => {
    const now = await issueQuote('rider-1', trip);
    const later = await issueQuote('rider-1', { ...trip, scheduledFor: early });
    expect(now.durationSeconds).toBeGreaterThan(1.4 * later.durationSeconds);
    expect(now.fare.totalMinor).toBeGreaterThan(later.fare.totalMinor);
    expect(later.scheduledFor).toBe(early);
  });

  test('for a courier has the drops in the shortest order, the last of them as the dropoff', async () => {
    const drops = [3, 1, 4, 2].map((i) => ({ lat: 40.74 + 0.01 * i, lng: -73.98 }));
    const quote = await issueQuote('rider-1', {
      ...trip,
      product: 'courier',
      stops: drops.slice(1),
      dropoff: drops[0]!,
    });
    const ordered = [drops[1]!, drops[3]!, drops[0]!, drops[2]!];
    expect([...quote.stops, quote.dropoff]).toEqual(ordered);
    expect(quote.distanceMeters).toBe(Math.round((wayMeters(pickup, ordered) * 4) / Math.PI));
    expect(quote.fare.lines).toContainEqual({ kind: 'stop', amountMinor: 600 });
  });

  test('for a courier under way leaves the drops that were made where they are', async () => {
    const drops = [3, 1, 4, 2].map((i) => ({ lat: 40.74 + 0.01 * i, lng: -73.98 }));
    const asked = { ...trip, product: 'courier' as const, stops: drops.slice(0, 3), dropoff: drops[3]! };
    const { stops, dropoff } = await issueQuote('rider-1', { ...asked, fixedStops: 1 });
    // From the third on the street the fourth is as near as the second; the first is the farthest.
    expect([...stops, dropoff]).toEqual([drops[0]!, drops[2]!, drops[3]!, drops[1]!]);
  });

  test('keeps the order of a passenger’s stops', async () => {
    const stops = [3, 1].map((i) => ({ lat: 40.74 + 0.01 * i, lng: -73.98 }));
    expect((await issueQuote('rider-1', { ...trip, stops })).stops).toEqual(stops);
  });

  test('of the most drops still fits into a request', async () => {
    const stops = Array.from({ length: MAX_DROPS - 1 }, (_, i) => ({
      lat: 40.70123456789012 + 0.005 * i,
      lng: -73.98765432109876,
    }));
    const { token } = await issueQuote('rider-1', { ...trip, product: 'courier', stops });
    expect(token.length).toBeLessThan(4_096);
  });
});
