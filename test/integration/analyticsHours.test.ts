import { cellToParent } from 'h3-js';
import { v7 as uuidv7 } from 'uuid';
import { readForecast } from '../../consumers/analytics/forecast';
import { analytics as projection } from '../../consumers/analytics/projection';
import { readHours } from '../../consumers/analytics/readings';
import { analyticsRoutes as internalRoutes } from '../../consumers/analytics/routes';
import { hoursView } from '../../contracts/api/analytics';
import { problemPages } from '../../contracts/api/problems';
import { forecastOf } from '../../domain/forecast';
import { createRequireRole } from '../../platform/auth';
import { createClient } from '../../platform/client';
import { createMount } from '../../platform/http';
import { analyticsRoutes } from '../../services/gateway/analyticsRoutes';
import { byTime, cancelled, cellOf, completed, downtown, midtown } from '../support/analyticsFacts';
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

const serve = httpServers(quiet);

let analytics: TestConsumer;
beforeEach(async () => {
  analytics = await startConsumer(projection);
});
afterEach(() => analytics.stop());

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

test('of a shift and a ride of years the last week counts', async () => {
  const [rideId, driverId] = [uuidv7(), 'driver-1'];
  const shift = { topic: 'drivers', key: driverId, data: { driverId } } as const;
  const ride = rideFacts(rideId, [
    ['ride.requested', '12:00:00.000', requested(rideId, 'r1', midtown)],
    ['ride.driver_assigned', '12:01:00.000', { driverId, offerId: uuidv7() }],
    ['ride.cancelled', '12:02:00.000', { ...cancelled, driverId }],
  ]).map((fact, i) => (i === 1 ? { ...fact, time: '0001-01-01T00:00:00.000Z' } : fact));
  const online = async () => {
    const { hours } = await readHours(analytics.pool, { limit: 1_000 });
    const sum = (name: 'busySeconds' | 'onlineSeconds') => hours.reduce((all, hour) => all + hour[name], 0);
    return { busy: sum('busySeconds'), online: sum('onlineSeconds') };
  };
  const week = 7 * 24 * 3_600;
  const began = { ...shift, sequence: 1, type: 'driver.went_online', time: '0001-01-01T00:00:00.000Z' };
  const where = { ...began, data: { driverId, cell: cellOf(midtown) } };
  await analytics.deliver([where, ...ride]);
  // The shift goes on: it counts in the hours of the ride, in which it is.
  expect(await online()).toEqual({ busy: week, online: week });
  await analytics.deliver([{ ...shift, sequence: 2, type: 'driver.went_offline', time: at('12:02:00.000') }]);
  expect(await online()).toEqual({ busy: week, online: week });
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
