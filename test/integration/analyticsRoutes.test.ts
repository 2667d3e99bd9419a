import { cellToParent } from 'h3-js';
import { analytics as projection } from '../../consumers/analytics/projection';
import { readDemand, readHours } from '../../consumers/analytics/readings';
import { analyticsRoutes as internalRoutes } from '../../consumers/analytics/routes';
import { analyticsOperations } from '../../contracts/api/analyticsOperations';
import { problemPages } from '../../contracts/api/problems';
import { forecastOf } from '../../domain/forecast';
import { createRequireRole } from '../../platform/auth';
import { createClient } from '../../platform/client';
import { createMount } from '../../platform/http';
import { analyticsRoutes } from '../../services/gateway/analyticsRoutes';
import { airport, cellOf, downtown, midtown, twoHours } from '../support/analyticsFacts';
import { issuer } from '../support/apiGround';
import { quiet } from '../support/backbone';
import { at, startConsumer, type TestConsumer } from '../support/consumers';
import { httpServers } from '../support/httpServers';

/** What the gateway answers of analytics: each route's rows, its filters and its CSV. */

const serve = httpServers(quiet);

let analytics: TestConsumer;
let get: (path: string, role?: 'operator' | 'rider') => Promise<Answer>;

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
}
type Row = { readonly [name: string]: string | number | null | Row };

beforeEach(async () => {
  analytics = await startConsumer(projection);
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
  get = async (path, role = 'operator') => {
    const headers = { authorization: `Bearer ${await token(role, 'o-1')}` };
    const answer = await fetch(`http://127.0.0.1:${gateway.port}${path}`, { headers });
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
  };
});
afterEach(() => analytics.stop());

const [region, atAirport] = [midtown, airport].map((place) => cellToParent(cellOf(place), 5)) as [
  string,
  string,
];

/** A row as CSV has it: a column for each figure, however deep; none for what is null. */
const flat = (row: Row, prefix = ''): [name: string, text: string][] =>
  Object.entries(row).flatMap(([name, value]): [string, string][] => {
    if (value === null) return [];
    if (typeof value === 'object') return flat(value, `${prefix}${name}.`);
    return [[prefix + name, String(value)]];
  });

/** An answer's rows: as JSON, and the same again as CSV. */
async function rowsOf(path: string): Promise<Row[]> {
  const json = await get(path);
  expect(json).toMatchObject({ status: 200, type: expect.stringMatching(/^application\/json/) });
  const rows = Object.values(JSON.parse(json.text) as object).find(Array.isArray) as Row[];
  const csv = await get(`${path}${path.includes('?') ? '&' : '?'}format=csv`);
  expect(csv).toMatchObject({ status: 200, type: expect.stringMatching(/^text\/csv/) });
  const [names = [], ...lines] = csv.text
    .split('\r\n')
    .slice(0, -1)
    .map((line) => line.split(','));
  const said = lines.map((values) => names.map((name, i) => [name, values[i]]).filter(([, text]) => text));
  expect(said.map((pairs) => Object.fromEntries(pairs) as Row)).toEqual(
    rows.map((row) => Object.fromEntries(flat(row))),
  );
  return rows;
}

/** What a filter leaves is something, and not all. */
function narrowed(all: readonly Row[], keep: (row: Row) => boolean): Row[] {
  const some = all.filter(keep);
  expect([0, all.length]).not.toContain(some.length);
  return some;
}

test('demand and supply, by cell and minute', async () => {
  await analytics.deliver(twoHours());
  const all = await rowsOf('/v1/ops/demand');
  expect(all).toEqual((await readDemand(analytics.pool, { limit: 100 })).cells);
  const half = at('12:45:00.000');
  expect(await rowsOf(`/v1/ops/demand?from=${half}`)).toEqual(
    narrowed(all, ({ minute }) => (minute as string) >= half),
  );
  expect(await rowsOf(`/v1/ops/demand?to=${half}`)).toEqual(
    narrowed(all, ({ minute }) => (minute as string) < half),
  );
  const cell = cellOf(airport);
  expect(await rowsOf(`/v1/ops/demand?cell=${cell}`)).toEqual(narrowed(all, (row) => row['cell'] === cell));
  expect(await rowsOf('/v1/ops/demand?limit=2')).toEqual(all.slice(0, 2));
  const counts = { requested: 1, completed: 1, cancelled: 0, noDriver: 0, assigned: 1, freed: 1 };
  expect(await rowsOf(`/v1/ops/demand?per=range&cell=${cell}`)).toEqual([
    { cell, minute: at('12:10:00.000'), ...counts },
  ]);
  const { text } = await get(`/v1/ops/demand?cell=${cell}&limit=1&format=csv`);
  expect(text).toBe(
    `cell,minute,requested,completed,cancelled,noDriver,assigned,freed\r\n${cell},${at('12:41:00.000')},0,1,0,0,0,0\r\n`,
  );
});

test('hours, by region', async () => {
  await analytics.deliver(twoHours());
  const all = await rowsOf('/v1/ops/hours');
  expect(all).toEqual((await readHours(analytics.pool, { limit: 100 })).hours);
  const one = at('13:00:00.000');
  expect(await rowsOf(`/v1/ops/hours?from=${one}`)).toEqual(narrowed(all, ({ hour }) => hour === one));
  expect(await rowsOf(`/v1/ops/hours?to=${one}`)).toEqual(narrowed(all, ({ hour }) => hour !== one));
  expect(await rowsOf(`/v1/ops/hours?region=${atAirport}`)).toEqual(
    narrowed(all, (row) => row['region'] === atAirport),
  );
  expect(await rowsOf('/v1/ops/hours?limit=1')).toEqual(all.slice(0, 1));
  const { text } = await get(`/v1/ops/hours?to=${one}&limit=1&format=csv`);
  const [names, values] = text.split('\r\n').map((line) => line.split(','));
  expect(Object.fromEntries(names!.map((name, i) => [name, values![i]]))).toMatchObject({
    ...{ region, requested: '2', 'revenueMinor.USD': '1750', 'waitSeconds.p50': '301' },
  });
});

test('surges: those that hold, the most first', async () => {
  const places = [midtown, airport, downtown, { lat: 48.85, lng: 2.35 }].map(cellOf);
  const hour = new Date(Date.now() + 3_600_000).toISOString();
  await analytics.pool.query(
    `insert into surges select cell, 1, multiplier, valid_until
     from unnest($1::text[], array[1.5, 3, 1, 2], $2::timestamptz[]) as s (cell, multiplier, valid_until)`,
    [places, [hour, hour, hour, at('12:00:00.000')]],
  );
  const all = [
    { cell: cellOf(airport), multiplier: 3, validUntil: hour },
    { cell: cellOf(midtown), multiplier: 1.5, validUntil: hour },
  ];
  expect(await rowsOf('/v1/ops/surges')).toEqual(all);
  expect(await rowsOf(`/v1/ops/surges?cell=${cellOf(midtown)}`)).toEqual(all.slice(1));
  expect(await rowsOf('/v1/ops/surges?limit=1')).toEqual(all.slice(0, 1));
});

test('the forecast, by region', async () => {
  const hour = '2026-03-29T18:00:00.000Z';
  // The same each hour of four weeks and more: so is what is forecast.
  await analytics.pool.query(
    `insert into hours (hour, region, name, value)
     select $1::timestamptz - place * interval '1 hour', $2, 'requested', 20 from generate_series(0, 680) as place
     union all select $1, $3, 'requested', 4`,
    [hour, region, atAirport],
  );
  const forecast = Math.round(forecastOf(Array<number>(4 * 7 * 24).fill(20)) * 100) / 100;
  const all = [
    { region, forecast, sameHourLastWeek: 20, requested: 20 },
    { region: atAirport, forecast: 0, sameHourLastWeek: 0, requested: 4 },
  ];
  expect(await rowsOf(`/v1/ops/forecast?hour=${hour}`)).toEqual(all);
  expect(await rowsOf(`/v1/ops/forecast?hour=${hour}&region=${atAirport}`)).toEqual(all.slice(1));
  expect(await rowsOf(`/v1/ops/forecast?hour=${hour}&limit=1`)).toEqual(all.slice(0, 1));
  // The hour before, of which the other region is not known.
  expect(await rowsOf('/v1/ops/forecast?hour=2026-03-29T17:00:00.000Z')).toEqual(all.slice(0, 1));
  // Of the hour that runs, by the clock: weeks later, so that nothing is known.
  expect(await rowsOf('/v1/ops/forecast')).toEqual([]);
});

test.each(Object.entries(analyticsOperations))(
  '%s is for operators, and held to what may be asked',
  async (_, { path }) => {
    expect((await get(path, 'rider')).status).toBe(403);
    expect(await get(`${path}?format=csv`)).toMatchObject({ status: 200, text: '' });
    for (const wrong of ['colour=red', 'limit=0', 'format=xml', 'region=manhattan', 'cell=here', 'from=noon'])
      expect((await get(`${path}?${wrong}`)).status).toBe(400);
  },
);
