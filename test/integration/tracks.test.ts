import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { readZones } from '../../consumers/tracks/zones/zoneFile';
import type { DriverPosition } from '../../contracts/positionRecord';
import { zoneCollection } from '../../contracts/zones';
import { DEGREE } from '../../domain/geo';
import { eventually, stopAll, upTo } from '../support/backbone';
import { drivenRide, tracksGround, type TracksGround } from '../support/tracksGround';

jest.setTimeout(120_000);

const [jfk, lga, midtown] = [
  { lat: 40.6446, lng: -73.7822 },
  { lat: 40.774, lng: -73.872 },
  { lat: 40.758, lng: -73.9855 },
];
/** Elsewhere on the continent: another region, and for most of the tests another partition. */
const chicago = { lat: 41.8781, lng: -87.6298 };

let ground: TracksGround;
beforeAll(async () => {
  ground = await tracksGround();
});
afterEach(stopAll);
afterAll(async () => {
  await stopAll();
  await ground?.stop();
});

const at = (driverId: string, sequence: number, place: { lat: number; lng: number }): DriverPosition => ({
  ...{ driverId, sequence, ...place, atMs: Date.now() },
});

describe('zones', () => {
  test('entering and leaving are facts, committed with the state, and not told again', async () => {
    const tracks = ground.start();
    const said = [at('zoe', 1, midtown), at('zoe', 2, jfk), at('zoe', 3, jfk), at('zoe', 4, lga)];
    await ground.say(said);
    await ground.say([said[1]!, said[0]!, at('zoe', 6, midtown), at('zoe', 5, jfk)]);
    await ground.settled('tracks-zones');
    const expected = ['entered jfk by 2', 'left jfk by 4', 'entered lga by 4', 'left lga by 6'];
    expect((await ground.told()).get('zoe')).toEqual(expected);
    const { rows } = await ground.pool.query(
      `select topic, key, headers::json ->> 'ce_id' as id from outbox order by outbox.id`,
    );
    expect(rows).toEqual([
      { topic: `${ground.places.prefix}drivers`, key: 'zones-of-zoe', id: 'zone.entered/zones-of-zoe/1' },
      expect.objectContaining({ id: 'zone.left/zones-of-zoe/2' }),
      expect.objectContaining({ id: 'zone.entered/zones-of-zoe/3' }),
      expect.objectContaining({ id: 'zone.left/zones-of-zoe/4' }),
    ]);
    await tracks.stop();
    ground.start();
    await ground.say([...said, at('zoe', 7, jfk)]);
    await ground.settled('tracks-zones');
    expect((await ground.told()).get('zoe')).toEqual([...expected, 'entered jfk by 7']);
  });

  test('a rim of 50 m is part of a zone for who was in it, also for a process that begins anew', async () => {
    const { features } = zoneCollection.parse(JSON.parse(readFileSync('data/zones.geojson', 'utf8')));
    const outline = features.find(({ id }) => id === 'jfk')!.geometry.coordinates[0];
    const [lng, lat] = outline.reduce((west, corner) => (corner[0] < west[0] ? corner : west));
    /** So many meters west of its most western corner. */
    const west = (meters: number) => ({
      lat,
      lng: lng - meters / (111_195 * Math.cos((lat * Math.PI) / 180)),
    });
    const first = ground.start();
    await ground.say([at('rim', 1, west(30)), at('rim', 2, jfk), at('rim', 3, west(30)), at('rim', 4, jfk)]);
    await ground.settled('tracks-zones');
    await first.stop();
    ground.start();
    await ground.say([at('rim', 5, west(40)), at('rim', 6, west(60)), at('rim', 7, west(30))]);
    await ground.settled('tracks-zones');
    expect((await ground.told()).get('rim')).toEqual(['entered jfk by 2', 'left jfk by 6']);
  });

  test('who is heard of in another region next has left, also where another process reads that', async () => {
    const both = [ground.start(), ground.start()];
    await ground.say([at('yan', 1, jfk)]);
    await ground.settled('tracks-zones');
    let sequence = 1;
    await eventually(
      async () => {
        await ground.say([at('yan', ++sequence, chicago)]);
        return (await ground.told()).get('yan');
      },
      (told) => told?.length === 2,
    );
    for (const one of both) await one.stop();
  });
});

test('killed under load again and again, it comes to the same effect', async () => {
  const drivers = upTo(30).map((n) => `kim-${n}`);
  const places = [midtown, jfk, lga, jfk];
  // Each third drives in a region of its own, where there are no zones.
  const placeOf = (n: number, step: number) => (n % 3 === 0 ? chicago : places[(n + step) % places.length]!);
  const zones = readZones('data/zones.geojson');
  const said: DriverPosition[] = [];
  const rides = new Map(drivers.map((driverId) => [driverId, uuidv7()]));
  const fromMs = Date.now();
  const mortal = (): ChildProcess =>
    fork(join(__dirname, '../support/mortalTracks.ts'), {
      execArgv: ['-r', join(__dirname, '../support/typescript.cjs')],
      env: {
        ...{ ...process.env, TRACKS_PREFIX: ground.places.prefix, TRACKS_URL: ground.places.databaseUrl },
        TRACKS_KEYS_URL: ground.places.keysUrl,
      },
    });
  let tracks = mortal();
  await ground.tell(drivers.flatMap((driverId) => drivenRide(rides.get(driverId)!, driverId, { fromMs })));
  let sequence = 0;
  const chunks = async (): Promise<number> => {
    const { rows } = await ground.pool.query<{ chunks: number }>(
      'select count(*) as chunks from path_chunks',
    );
    return rows[0]!.chunks;
  };
  for (let kill = 0; kill < 2; kill++) {
    const before = await chunks();
    // Until it works, and then in the midst of it.
    await eventually(
      async () => {
        sequence += 1;
        const positions = drivers.map((driverId, n) =>
          at(driverId, sequence, placeOf(n, Math.floor(sequence / 3))),
        );
        said.push(...positions);
        await ground.say(positions);
        return chunks();
      },
      (now) => now > before + 30,
      30_000,
    );
    tracks.kill('SIGKILL');
    await once(tracks, 'exit');
    tracks = mortal();
  }
  await ground.settled('tracks', 'tracks-zones', 'tracks-paths');
  tracks.kill('SIGKILL');
  const told = await ground.told();
  for (const driverId of drivers) {
    const own = said.filter((one) => one.driverId === driverId);
    let last = '';
    const expected = own.flatMap(({ lat, lng, sequence: by }) => {
      const zone = zones.at(Math.round(lat * DEGREE), Math.round(lng * DEGREE)).join();
      const before = last;
      last = zone;
      if (zone === before) return [];
      return [...(before ? [`left ${before} by ${by}`] : []), ...(zone ? [`entered ${zone} by ${by}`] : [])];
    });
    expect([driverId, told.get(driverId) ?? []]).toEqual([driverId, expected]);
    expect(await ground.wayOf(rides.get(driverId)!)).toHaveLength(own.length);
  }
  const { rows } = await ground.pool.query<{ points: number; rides: number }>(
    `select sum(points)::integer as points, count(distinct ride_id) as rides from path_chunks
     where ride_id = any ($1)`,
    [[...rides.values()]],
  );
  expect(rows[0]).toEqual({ points: said.length, rides: drivers.length });
});
