import { cellToParent, latLngToCell } from 'h3-js';
import { v7 as uuidv7 } from 'uuid';
import { analytics as projection } from '../../consumers/analytics/projection';
import { readForecast } from '../../consumers/analytics/forecast';
import { readDemand, readHours } from '../../consumers/analytics/readings';
import { analyticsRoutes as internalRoutes } from '../../consumers/analytics/routes';
import { demandView, hoursView } from '../../contracts/api/analytics';
import { forecastOf } from '../../domain/forecast';
import { problemPages } from '../../contracts/api/problems';
import { createRequireRole } from '../../platform/auth';
import { createClient } from '../../platform/client';
import { createMount } from '../../platform/http';
import { analyticsRoutes } from '../../services/gateway/analyticsRoutes';
import { issuer } from '../support/apiGround';
import { quiet } from '../support/backbone';
import {
  at,
  requested,
  rideFacts,
  startConsumer,
  type TestConsumer,
  type TestFact,
} from '../support/consumers';
import { httpServers } from '../support/httpServers';

const midtown = { lat: 40.75, lng: -73.98 };
const brooklyn = { lat: 40.68, lng: -73.94 };
/** Where the rides of these tests end. */
const downtown = { lat: 40.7, lng: -74.0 };
const cellOf = ({ lat, lng }: typeof midtown) => latLngToCell(lat, lng, 8);

const serve = httpServers(quiet);

let analytics: TestConsumer;
beforeEach(async () => {
  analytics = await startConsumer(projection);
});
afterEach(() => analytics.stop());

const demand = async (
  range: { from?: string; to?: string; cell?: string; limit?: number; per?: 'range' } = {},
) => demandView.parse(await readDemand(analytics.pool, { limit: 100, ...range })).cells;

const cell = (minute: string, where: typeof midtown, counts: object) => ({
  ...{ cell: cellOf(where), minute: at(`${minute}:00.000`) },
  ...{ requested: 0, completed: 0, cancelled: 0, noDriver: 0, assigned: 0, freed: 0, ...counts },
});

const completed = { driverId: 'driver-1', chargeMinor: 1_250, currency: 'USD' };
const cancelled = { by: 'rider', reason: 'changed_mind', driverId: null, feeMinor: 0, currency: 'USD' };

/** As they are read: the newest minutes first, in each the busiest cells first. */
const inOrder = (cells: ReturnType<typeof cell>[]) =>
  cells.sort(
    (a, b) => b.minute.localeCompare(a.minute) || b.requested - a.requested || a.cell.localeCompare(b.cell),
  );
const byTime = (facts: TestFact[]): TestFact[] => facts.sort((a, b) => a.time.localeCompare(b.time));

/** A ride of each ending, requested in the same minute; what is counted of them is in `expected`. */
function rides() {
  const [a, b, c, d] = [uuidv7(), uuidv7(), uuidv7(), uuidv7()];
  const facts = byTime([
    ...rideFacts(a, [
      ['ride.requested', '12:00:05.000', requested(a, 'r1', midtown)],
      ['ride.matching_started', '12:00:06.000'],
      ['ride.driver_assigned', '12:00:59.000', { driverId: 'driver-1', offerId: uuidv7() }],
      ['ride.driver_arrived', '12:05:00.000', { driverId: 'driver-1' }],
      ['ride.started', '12:06:00.000', { driverId: 'driver-1' }],
      ['ride.completed', '12:20:59.999', completed],
    ]),
    ...rideFacts(b, [
      ['ride.requested', '12:00:59.999', requested(b, 'r2', midtown)],
      ['ride.cancelled', '12:01:00.000', cancelled],
    ]),
    ...rideFacts(c, [
      ['ride.requested', '12:00:30.000', requested(c, 'r3', brooklyn)],
      ['ride.matching_started', '12:00:31.000'],
      ['ride.no_driver_found', '12:01:30.000'],
    ]),
    ...rideFacts(d, [
      ['ride.requested', '12:01:00.000', requested(d, 'r4', midtown)],
      ['ride.payment_failed', '12:01:01.000', { reason: 'card_declined' }],
    ]),
  ]);
  const expected = inOrder([
    cell('12:20', midtown, { completed: 1 }),
    cell('12:20', downtown, { freed: 1 }),
    cell('12:01', midtown, { requested: 1, cancelled: 1 }),
    cell('12:01', brooklyn, { noDriver: 1 }),
    cell('12:00', midtown, { requested: 2, assigned: 1 }),
    cell('12:00', brooklyn, { requested: 1 }),
  ]);
  return { facts, expected };
}

test('demand is counted at the pickup, supply where drivers become free, in the minute in which it happened', async () => {
  const { facts, expected } = rides();
  await analytics.deliver(facts);
  expect(await demand()).toEqual(expected);
  expect(await demand({ from: at('12:01:00.000'), to: at('12:20:00.000') })).toEqual(expected.slice(2, 4));
  expect(await demand({ cell: cellOf(brooklyn) })).toEqual([expected[3], expected[5]]);
  expect(await demand({ limit: 1 })).toEqual(expected.slice(0, 1));
  expect((await analytics.pool.query('select from ride_cells')).rowCount).toBe(0);
});

test('of a range each cell has all its demand in one row, however many minutes that is', async () => {
  await analytics.deliver(rides().facts);
  const range = { per: 'range', from: at('12:00:00.000'), to: at('12:20:00.000') } as const;
  const all = [
    cell('12:00', midtown, { requested: 3, cancelled: 1, assigned: 1 }),
    cell('12:00', brooklyn, { requested: 1, noDriver: 1 }),
  ];
  expect(await demand(range)).toEqual(all);
  expect(await demand({ ...range, limit: 1 })).toEqual(all.slice(0, 1));
  expect(await demand({ ...range, cell: cellOf(brooklyn) })).toEqual(all.slice(1));
});

test('facts that are delivered again, in the same or a later batch, are counted once', async () => {
  const { facts, expected } = rides();
  await analytics.deliver([...facts.slice(0, 4), ...facts.slice(0, 4)]);
  for (const fact of facts.slice(4)) await analytics.deliver([fact, fact]);
  // Versions long past, after the rides have ended.
  await analytics.deliver([...facts].reverse());
  expect(await demand()).toEqual(expected);
  expect(await analytics.deadLetters()).toBe(0);
});

test('a ride for later is counted where it was asked for last: when it is released, or as cancelled before that', async () => {
  const [released, moved] = [uuidv7(), uuidv7()];
  const later = (id: string, where: typeof midtown) => ({
    ...requested(id, 'r1', where),
    scheduledFor: at('18:00:00.000'),
  });
  const facts = byTime([
    ...rideFacts(released, [
      ['ride.scheduled', '12:00:00.000', later(released, midtown)],
      ['ride.requested', '17:40:00.000', later(released, midtown)],
      ['ride.completed', '18:30:00.000', completed],
    ]),
    ...rideFacts(moved, [
      ['ride.scheduled', '12:00:00.000', later(moved, midtown)],
      ['ride.rescheduled', '12:01:00.000', later(moved, brooklyn)],
      ['ride.cancelled', '12:02:00.000', cancelled],
    ]),
  ]);
  for (const fact of facts) await analytics.deliver([fact]);
  expect(await demand()).toEqual([
    cell('18:30', midtown, { completed: 1 }),
    cell('17:40', midtown, { requested: 1 }),
    cell('12:02', brooklyn, { cancelled: 1 }),
  ]);
  expect(await analytics.deadLetters()).toBe(0);
  expect((await analytics.pool.query('select from ride_cells')).rowCount).toBe(0);
});

test('a fact that breaks its schema is put aside with what follows of its ride; others are counted', async () => {
  const [broken, sound] = [uuidv7(), uuidv7()];
  await analytics.deliver([
    ...rideFacts(broken, [
      ['ride.requested', '12:00:00.000', { ...requested(broken, 'r1'), pickup: { lat: 91, lng: 0 } }],
      ['ride.no_driver_found', '12:01:00.000'],
    ]),
    ...rideFacts(sound, [
      ['ride.requested', '12:00:00.000', requested(sound, 'r2', midtown)],
      ['ride.becomes_known_in_some_later_version', '12:00:30.000', { any: 'thing' }],
      ['ride.completed', '12:01:00.000', completed],
    ]),
  ]);
  expect(await demand()).toEqual([
    cell('12:01', midtown, { completed: 1 }),
    cell('12:00', midtown, { requested: 1 }),
  ]);
  expect(await analytics.deadLetters()).toBe(1);
  const { rows } = await analytics.pool.query<{ head: boolean; reason: string | null }>(
    'select head, reason from inbox_parked order by head desc',
  );
  expect(rows).toEqual([
    { head: true, reason: expect.stringMatching(/^fact_invalid: .*pickup/s) },
    { head: false, reason: null },
  ]);
});

test('a fact that is far behind its partition changes no minute any more, and is counted as late', async () => {
  const ride = uuidv7();
  const driver = { driverId: 'driver-1' };
  await analytics.deliver(
    rideFacts(ride, [
      ['ride.requested', '12:30:00.000', requested(ride, 'r1', midtown)],
      // As far behind as may be, and a little further.
      ['ride.driver_assigned', '12:20:00.000', { ...driver, offerId: uuidv7() }],
      ['ride.driver_unassigned', '12:19:59.999', { ...driver, reason: 'flat_tyre' }],
      ['ride.cancelled', '12:35:00.000', cancelled],
    ]),
  );
  expect(await demand()).toEqual([
    cell('12:35', midtown, { cancelled: 1 }),
    cell('12:30', midtown, { requested: 1 }),
    cell('12:20', midtown, { assigned: 1 }),
  ]);
  expect((await readDemand(analytics.pool, { limit: 1 })).late).toBe(1);
});

test('a clock that is ahead makes nobody late', async () => {
  const ride = uuidv7();
  const [asked, taken] = rideFacts(ride, [
    ['ride.requested', '12:30:00.000', requested(ride, 'r1', midtown)],
    ['ride.driver_assigned', '12:30:01.000', { driverId: 'driver-1', offerId: uuidv7() }],
  ]);
  const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
  await analytics.deliver([
    { ...asked!, time: inMs(24 * 3_600_000) },
    { ...taken!, time: inMs(0) },
  ]);
  expect((await demand()).map((one) => [one.requested, one.assigned])).toEqual([
    [1, 0],
    [0, 1],
  ]);
  expect((await readDemand(analytics.pool, { limit: 1 })).late).toBe(0);
});

/** What happens in two hours: rides of three endings, quotes, and shifts of which one goes on. */
function twoHours(): TestFact[] {
  const [a, b] = [uuidv7(), uuidv7()];
  const driver = { driverId: 'driver-1' };
  const offered = { ...driver, offerId: uuidv7() };
  const shift = (key: string, sequence: number, type: string, time: string, data = {}): TestFact => ({
    ...{ topic: 'drivers', key, sequence, type, time: at(time) },
    data: { driverId: key, ...data },
  });
  const quote = (time: string, more = {}): TestFact => {
    const [key, { rideId: _, paymentMethod: __, ...quoted }] = [uuidv7(), requested(uuidv7(), 'r1')];
    const where = { pickupCell: cellOf(midtown), ...more };
    const data = { ...quoted, ...where, quoteId: key, surge: 1, expiresAt: at(time) };
    return {
      topic: 'pricing',
      key,
      sequence: 1,
      type: 'quote.issued',
      schemaVersion: 2,
      time: at(time),
      data,
    };
  };
  return byTime([
    quote('12:40:00.000'),
    quote('12:41:00.000'),
    // For another way of the first ride: nobody is to ask for a ride with it.
    quote('12:56:00.000', { changesRideId: a }),
    ...rideFacts(a, [
      ['ride.requested', '12:50:00.000', { ...requested(a, 'r1', midtown), durationSeconds: 900 }],
      ['ride.driver_assigned', '12:50:20.000', offered],
      ['ride.driver_unassigned', '12:51:20.000', { ...driver, reason: 'flat_tyre' }],
      ['ride.driver_assigned', '12:52:00.000', offered],
      ['ride.started', '12:55:00.000', driver],
      ['ride.completed', '13:11:40.000', completed],
    ]),
    ...rideFacts(b, [
      ['ride.requested', '12:59:00.000', requested(b, 'r2', midtown)],
      ['ride.driver_assigned', '12:59:30.000', offered],
      ['ride.cancelled', '13:00:30.000', { ...cancelled, driverId: 'driver-1', feeMinor: 500 }],
    ]),
    shift('driver-1', 1, 'driver.went_online', '12:30:00.000', { cell: cellOf(midtown) }),
    shift('driver-1', 2, 'driver.went_offline', '13:15:00.000'),
    shift('driver-2', 1, 'driver.went_online', '12:45:00.000', { cell: cellOf(midtown) }),
    shift('driver-3', 1, 'driver.went_online', '13:20:00.000'),
  ]);
}

test('hours say what became of their rides, how long people waited, and what drivers did', async () => {
  await analytics.deliver(twoHours());
  const { hours } = hoursView.parse(await readHours(analytics.pool, { limit: 100 }));
  const region = cellToParent(cellOf(midtown), 5);
  const nothing = {
    quoted: 0,
    requested: 0,
    matched: 0,
    completed: 0,
    cancelled: 0,
    noDriver: 0,
    paymentFailed: 0,
  };
  const once = (seconds: number) => ({ count: 1, p50: seconds, p90: seconds, p99: seconds });
  expect(hours).toEqual([
    {
      ...{ hour: at('13:00:00.000'), region, ...nothing, revenueMinor: {} },
      // The second shift goes on: until the last fact that has come.
      ...{ busySeconds: 700 + 30, onlineSeconds: 900 + 1_200, utilization: 0.348 },
      ...{ matchSeconds: null, waitSeconds: null, etaErrorSeconds: null },
    },
    {
      ...{ hour: at('12:00:00.000'), region, ...nothing },
      ...{ quoted: 2, requested: 2, matched: 2, completed: 1, cancelled: 1 },
      revenueMinor: { USD: 1_250 + 500 },
      ...{ busySeconds: 60 + 480 + 30, onlineSeconds: 1_800 + 900, utilization: 0.211 },
      matchSeconds: { count: 2, p50: 20, p90: 30, p99: 30 },
      ...{ waitSeconds: once(301), etaErrorSeconds: once(100) },
    },
  ]);
  const range = { from: at('13:00:00.000'), to: at('14:00:00.000') };
  expect((await readHours(analytics.pool, { ...range, region, limit: 9 })).hours).toEqual(hours.slice(0, 1));
});

test('operators have it as JSON, and as CSV with a column for each figure', async () => {
  await analytics.deliver(twoHours());
  const { verify, token } = await issuer();
  const requireRole = createRequireRole(verify);
  const { port } = await serve({
    problems: problemPages,
    routes: (router) => internalRoutes(router, requireRole, analytics.pool),
  });
  const client = createClient({
    ...{ name: 'analytics', baseUrl: `http://127.0.0.1:${port}`, deadlineMs: 5_000 },
    token: await token('service', 'gateway'),
  });
  const gateway = await serve({
    problems: problemPages,
    routes: (router) => analyticsRoutes(createMount(router, requireRole), client),
  });
  const get = async (path: string, role: 'operator' | 'rider' = 'operator') => {
    const headers = { authorization: `Bearer ${await token(role, 'o-1')}` };
    const answer = await fetch(`http://127.0.0.1:${gateway.port}${path}`, { headers });
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
  };
  expect((await get('/v1/ops/hours', 'rider')).status).toBe(403);
  const asJson = await get('/v1/ops/hours?limit=1');
  expect(JSON.parse(asJson.text)).toEqual(await readHours(analytics.pool, { limit: 1 }));
  const { type, text } = await get(`/v1/ops/hours?format=csv&to=${at('13:00:00.000')}`);
  expect(type).toMatch(/^text\/csv/);
  const [names, values, ...rest] = text.split('\r\n').map((line) => line.split(','));
  expect(rest).toEqual([['']]);
  const row = Object.fromEntries(names!.map((name, i) => [name, values![i]]));
  expect(row).toMatchObject({ requested: '2', 'revenueMinor.USD': '1750', 'waitSeconds.p50': '301' });
  const demandCsv = await get(`/v1/ops/demand?format=csv&cell=${cellOf(downtown)}`);
  expect(demandCsv.text.split('\r\n')[1]).toBe(`${cellOf(downtown)},${at('13:11:00.000')},0,0,0,0,0,1`);
  expect(await get('/v1/ops/surges?format=csv')).toMatchObject({ status: 200, text: '' });
  expect((await get('/v1/ops/hours?region=manhattan')).status).toBe(400);
});

test('the next hour is forecast from the hours before, where enough are known', async () => {
  const [busy, quiet] = [midtown, { lat: 40.645, lng: -73.785 }].map((place) =>
    cellToParent(cellOf(place), 5),
  ) as [string, string];
  const hour = Date.parse('2026-03-29T18:00:00.000Z');
  const counts = Array.from({ length: 28 * 24 }, (_, i) => 20 + (i % 24) * 3);
  await analytics.pool.query(
    `insert into hours (hour, region, name, value)
     select to_timestamp($1::bigint / 1000) - (($3::int - place + 1) * interval '1 hour'), $2, 'requested', value
     from unnest($4::int[]) with ordinality as counts (value, place)
     union all select to_timestamp($1::bigint / 1000), $5, 'requested', 4`,
    [hour, busy, counts.length, counts, quiet],
  );
  const at = { hour: new Date(hour).toISOString(), limit: 10 };
  const known = { sameHourLastWeek: counts.at(-168)!, forecast: Math.round(forecastOf(counts) * 100) / 100 };
  expect(await readForecast(analytics.pool, at, hour)).toEqual({
    hour: at.hour,
    regions: [
      { region: busy, ...known, requested: 0 },
      // Nothing was asked for there before: that is known, too.
      { region: quiet, forecast: 0, sameHourLastWeek: 0, requested: 4 },
    ],
  });
  const early = { hour: new Date(hour - 21 * 86_400_000).toISOString(), limit: 10, region: busy };
  expect((await readForecast(analytics.pool, early, hour)).regions).toMatchObject([{ forecast: null }]);
  // The hour before is not over yet, if only by a millisecond.
  const next = await readForecast(analytics.pool, { ...at, region: busy }, hour - 1);
  expect(next.regions).toEqual([{ region: busy, forecast: null, sameHourLastWeek: null, requested: 0 }]);
});
