import type { Gauge } from 'prom-client';
import { positionsMediaType } from '../../contracts/api/positions';
import { Takes, type DriverPosition } from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import { mutatedRecord } from '../../tools/faults/location/fuzz';
import { doorsForFile, good, nowMs, positions } from '../support/positionDoors';

const doors = doorsForFile();
const binary = { 'content-type': positionsMediaType };

const record = (items: Partial<DriverPosition>[], baseMs = nowMs): Uint8Array<ArrayBuffer> => {
  const writer = new PositionWriter(baseMs);
  for (const item of items)
    writer.add({ ...{ driverId: 'f1', lat: 40.7, lng: -73.9, sequence: 5, atMs: baseMs }, ...item });
  return writer.finish();
};
const changed = (bytes: Uint8Array<ArrayBuffer>, change: (view: DataView) => void) => {
  change(new DataView(bytes.buffer, bytes.byteOffset));
  return bytes;
};
const rowAt = (index: number): number => 16 + index * 36;

const badItems: [string, object, string][] = [
  ['a latitude and a longitude that were swapped', { lat: -73.98, lng: 40.75 }, '/lat'],
  ['a latitude outside the world', { lat: -90.1 }, '/lat'],
  ['a longitude outside the world', { lng: 180.1 }, '/lng'],
  ['not a number', { lat: NaN }, '/lat'],
  ['a time in the future', { at: new Date(nowMs + 30_001).toISOString() }, '/at'],
  ['a time before 1970', { at: '1969-12-31T23:59:59.999Z' }, '/at'],
  ['no time', { at: '2026-02-30T00:00:00Z' }, '/at'],
  ['a sequence that goes back', { sequence: 4 }, '/sequence'],
  ['a sequence that is not whole', { sequence: 5.5 }, '/sequence'],
  ['an unknown field', { speed: 3 }, '/speed'],
];

describe.each([
  ['a driver', '/v1/drivers/me/positions', 'driver.d1', {}],
  ['a fleet', '/v1/fleet/positions', 'fleet.fleet', { driverId: 'f1' }],
])('the door of %s', (_whose, path, token, id) => {
  test.each(badItems)(
    'refuses %s, names the item, and takes the rest where it is told to',
    async (_w, bad, pointer) => {
      const { post, taken } = await doors();
      const body = positions({ ...good, ...id }, { ...good, ...id, ...bad }, { ...good, ...id, sequence: 6 });
      const all = await post(path, token, body);
      expect(all).toMatchObject({ status: 400, body: { code: 'validation_failed', index: 1 } });
      expect(all.body.errors![0]).toMatchObject({ index: 1, pointer: `/positions/1${pointer}` });
      expect(taken).toEqual([]);
      const rest = await post(`${path}?partial=true`, token, body);
      expect(rest).toMatchObject({ status: 202, body: { taken: 2, refused: 1, errors: all.body.errors } });
      expect(taken.map(({ sequence }) => sequence)).toEqual([5, 6]);
    },
  );

  test('answers like every other: ids, problems, metrics', async () => {
    const { post, url, metrics } = await doors();
    const body = positions({ ...good, ...id });
    const named = { 'content-type': 'application/json; charset=utf-8', 'x-request-id': 'mine' };
    const taken = await post(path, token, body, named);
    expect(taken).toMatchObject({ status: 202, body: { taken: 1, refused: 0, errors: [] } });
    expect(taken.headers.get('x-request-id')).toBe('mine');
    const refusals: [string, string, string, string, number, object?][] = [
      ['unauthenticated', path, 'nobody', body, 401],
      ['forbidden', path, 'rider.r', body, 403],
      ['validation_failed', `${path}?parital=true`, token, body, 400],
      ['validation_failed', path, token, '[]', 400],
      ['validation_failed', path, token, '{"positions":[]}', 400],
      ['validation_failed', path, token, '{"positions":[],"more":1}', 400],
      ['malformed_json', path, token, '{"positions":', 400],
      ['body_too_large', path, token, ' '.repeat(1_048_577), 413],
      ['unsupported_media_type', path, token, body, 415, { 'content-type': 'text/plain' }],
      [
        'unsupported_media_type',
        path,
        token,
        body,
        415,
        { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      ],
    ];
    for (const [code, to, as, sent, status, headers] of refusals) {
      const answer = await post(to, as, sent, headers as Record<string, string> | undefined);
      expect([answer.status, answer.body['type']]).toEqual([status, `/problems/${code}`]);
      expect(answer.headers.get('content-type')).toMatch('application/problem+json');
      expect(answer.body['requestId']).toBe(answer.headers.get('x-request-id'));
    }
    for (const same of [`${path}/`, path.replace('positions', 'Positions')])
      expect((await post(same, token, body)).status).toBe(202);
    expect((await post(`${path}//`, token, body)).status).toBe(404);
    // What is not posted there is the app's to refuse.
    expect((await fetch(url + path)).status).toBe(404);
    const served = metrics.registry.getSingleMetric('http_server_request_duration_seconds') as Gauge;
    const { values } = await served.get();
    expect(
      values.filter(
        ({ labels }) => labels['http_route'] === path && labels['http_response_status_code'] === 202,
      ),
    ).not.toEqual([]);
  });
});

test('a driver who has not registered is told so', async () => {
  const { post } = await doors();
  const unknown = await post('/v1/drivers/me/positions', 'driver.nobody', positions(good));
  expect(unknown).toMatchObject({ status: 404, body: { code: 'driver_unknown' } });
});

const inJson = (items: Partial<DriverPosition>[]) =>
  positions(...items.map((item) => ({ ...good, ...item })));
test.each([
  ['JSON', inJson, undefined],
  ['a binary batch', record, binary],
])('in %s a fleet is told of each driver who is unknown or not its', async (_form, bodyOf, headers) => {
  const fleets = new Map([
    ['f1', 'fleet'],
    ['f2', 'fleet'],
    ['theirs', 'others'],
    ['nobodys', null],
  ]);
  const { post, taken } = await doors({ fleetOf: (driverId) => fleets.get(driverId) });
  const ids = ['f1', 'unknown', 'f2', 'theirs', 'nobodys', 'f1'];
  // Its place in the request is not its place among those that could be read.
  const items = [{ lat: -73.98, lng: 40.75 }, ...ids.map((driverId) => ({ driverId }))];
  const body = bodyOf(items.map((item) => ({ driverId: 'f1', ...item })));
  const all = await post('/v1/fleet/positions', 'fleet.fleet', body, headers);
  expect(all).toMatchObject({ status: 400, body: { code: 'validation_failed', index: 0 } });
  expect(taken).toEqual([]);
  const rest = await post('/v1/fleet/positions?partial=true', 'fleet.fleet', body, headers);
  expect(rest).toMatchObject({ status: 202, body: { taken: 3, refused: 4 } });
  for (const { errors } of [all.body, rest.body])
    expect(errors!.map(({ index, pointer }) => [index, pointer])).toEqual([
      [0, '/positions/0/lat'],
      ...[2, 4, 5].map((index) => [index, `/positions/${index}/driverId`]),
    ]);
  expect(taken.map(({ driverId }) => driverId)).toEqual(['f1', 'f2', 'f1']);

  const ofOthers = bodyOf(ids.map((driverId) => ({ driverId })));
  const refused = await post('/v1/fleet/positions', 'fleet.fleet', ofOthers, headers);
  expect(refused).toMatchObject({ status: 400, body: { index: 1, errors: [{}, {}, {}] } });
  expect(taken).toHaveLength(3);
});

const threeRows = () => record([{}, { driverId: 'f2' }, { sequence: 6 }]);
const longId = 'f-driver-with-a-long-name';
test.each<[string, Uint8Array<ArrayBuffer>, string, number]>([
  ['is cut short', threeRows().slice(0, rowAt(1) + 35), '/positions/1', 1],
  ['is cut behind its header', threeRows().slice(0, rowAt(0)), '/positions/0', 0],
  [
    'has a latitude outside the world',
    changed(threeRows(), (v) => v.setInt32(rowAt(1) + 16, -1e9, true)),
    '/positions/1/lat',
    2,
  ],
  [
    'has no latitude',
    changed(threeRows(), (v) => v.setInt32(rowAt(1) + 16, -(2 ** 31), true)),
    '/positions/1/lat',
    2,
  ],
  [
    'has a latitude and a longitude that were swapped',
    record([{}, { lat: -73.98, lng: 40.75 }, {}]),
    '/positions/1/lat',
    2,
  ],
  ['is from the future', record([{ atMs: 0 }, {}], nowMs + 30_001), '/positions/1/at', 1],
  ['goes back', record([{}, { sequence: 4 }, {}]), '/positions/1/sequence', 2],
  [
    'is of nobody',
    changed(threeRows(), (v) => v.setInt32(rowAt(1) + 4, 0, true)),
    '/positions/1/driverId',
    2,
  ],
  ['ends within an id', record([{}, { driverId: longId }, {}]).slice(0, -1), '/positions/1', 2],
])(
  'a binary batch that %s is refused with the item, the rest taken where it is told to',
  async (_what, bytes, pointer, rest) => {
    const { post, taken } = await doors();
    const path = '/v1/fleet/positions';
    const all = await post(path, 'fleet.fleet', bytes, binary);
    const index = Number(pointer.split('/')[2]);
    expect(all).toMatchObject({ status: 400, body: { index, errors: [{ index }] } });
    expect(all.body.errors![0]!.pointer).toMatch(pointer);
    expect(taken).toEqual([]);
    const partial = await post(`${path}?partial=true`, 'fleet.fleet', bytes, binary);
    expect(partial).toMatchObject({ status: 202, body: { taken: rest, errors: [{ index }] } });
    expect(taken).toHaveLength(rest);
  },
);

test('of a binary batch each bad position is told, and each id is that of its row', async () => {
  const { post, taken } = await doors();
  const ids = [longId, 'f1', `${longId}-2`, 'f3', longId];
  const bytes = record(ids.map((driverId) => ({ driverId })));
  changed(bytes, (view) => {
    for (const bad of [1, 3]) view.setInt32(rowAt(bad) + 20, 1_800_000_001, true);
  });
  const { body } = await post('/v1/fleet/positions?partial=true', 'fleet.fleet', bytes, binary);
  expect(body).toMatchObject({ taken: 3, refused: 2, errors: [{ index: 1 }, { index: 3 }] });
  expect(taken.map(({ driverId }) => driverId)).toEqual([longId, `${longId}-2`, longId]);
});

test('whatever bytes a fleet sends, it is answered: taken, or refused as not valid', async () => {
  const { post } = await doors({ capacity: 1e9, fleetOf: () => 'fleet' });
  const seen = { taken: 0, refused: 0 };
  const first = Math.floor(Math.random() * 1e9);
  for (let seed = first; seed < first + 400; seed++) {
    const { bytes } = mutatedRecord(seed);
    for (const query of ['', '?partial=true']) {
      const answer = await post(`/v1/fleet/positions${query}`, 'fleet.fleet', new Uint8Array(bytes), binary);
      const isTaken = answer.status === 202;
      if (isTaken) seen.taken += 1;
      else seen.refused += 1;
      const said = isTaken || (answer.status === 400 && answer.body['code'] === 'validation_failed');
      expect([seed, said]).toEqual([seed, true]);
    }
  }
  expect(seen.taken).toBeGreaterThan(50);
  expect(seen.refused).toBeGreaterThan(50);
});

test('what a driver takes is what their fleet says, as far as car and shift let them', async () => {
  const takesOf = (id: string): number => (id === 'f1' ? Takes.standard | Takes.available : Takes.courier);
  const { post, taken } = await doors({ takesOf });
  const body = record([{ takes: Takes.available | Takes.xl | Takes.courier }, { driverId: 'f2' }]);
  expect((await post('/v1/fleet/positions', 'fleet.fleet', body, binary)).status).toBe(202);
  const own = await post('/v1/drivers/me/positions', 'driver.f1', positions(good));
  expect(own.status).toBe(202);
  expect(taken.map(({ takes }) => takes)).toEqual([
    Takes.available,
    Takes.courier,
    Takes.standard | Takes.available,
  ]);
});
