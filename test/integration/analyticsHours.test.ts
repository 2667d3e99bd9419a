import { cellToParent } from 'h3-js';
import { v7 as uuidv7 } from 'uuid';
import { readForecast } from '../../consumers/analytics/forecast';
import { analytics as projection } from '../../consumers/analytics/projection';
import { readHours } from '../../consumers/analytics/readings';
import { hoursView } from '../../contracts/api/analytics';
import { forecastOf } from '../../domain/forecast';
import { airport, cancelled, cellOf, midtown, twoHours } from '../support/analyticsFacts';
import { at, requested, rideFacts, startConsumer, type TestConsumer } from '../support/consumers';

let analytics: TestConsumer;
beforeEach(async () => {
  analytics = await startConsumer(projection);
});
afterEach(() => analytics.stop());

const regions = [midtown, airport].map((place) => cellToParent(cellOf(place), 5)) as [string, string];

test('hours say of each region what became of its rides, how long people waited, and what drivers did', async () => {
  await analytics.deliver(twoHours());
  const { hours } = hoursView.parse(await readHours(analytics.pool, { limit: 100 }));
  const [region, atAirport] = regions;
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
      ...{ hour: at('13:00:00.000'), region: atAirport, ...nothing, quoted: 1, revenueMinor: {} },
      // Of its own shift, which goes on, too.
      ...{ busySeconds: 0, onlineSeconds: 1_200, utilization: 0 },
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
    {
      ...{ hour: at('12:00:00.000'), region: atAirport, ...nothing },
      ...{ requested: 1, matched: 1, completed: 1, revenueMinor: { USD: 4_000 } },
      ...{ busySeconds: 1_250, onlineSeconds: 3_000, utilization: 0.417 },
      ...{ matchSeconds: once(10), waitSeconds: once(240), etaErrorSeconds: once(120) },
    },
  ]);
  const read = async (query: object) => (await readHours(analytics.pool, { ...query, limit: 9 })).hours;
  const range = { from: at('13:00:00.000'), to: at('14:00:00.000') };
  expect(await read({ ...range, region })).toEqual([hours[0]]);
  expect(await read({ region: atAirport })).toEqual([hours[1], hours[3]]);
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

test('the next hour is forecast from the hours before, where enough are known', async () => {
  const [busy, quiet] = regions;
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
