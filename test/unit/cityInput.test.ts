import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPickups, cityStart, pickupsFrom } from '../../tools/city/input/pickups';
import { readTrips } from '../../tools/city/input/trips';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'city-'));
});
afterAll(() => rm(dir, { recursive: true }));

const HEADER = 'pickup_at,lat,lng,base\n';
const GOOD = '2014-04-02T08:00:00,40.7,-74.0,B1\n';

async function file(content: string): Promise<string> {
  const path = join(dir, 'input.csv');
  await writeFile(path, content);
  return path;
}

describe('a pickups file', () => {
  it('is read whatever else its columns hold, and sorted by time', async () => {
    const text = `\uFEFFbase,lng,"lat",pickup_at\r\n"B,1",-74.1,40.7,2014-04-02 09:00\r\nB2,-73.9,40.8,2014-04-02T08:00:00\r\n\r\n`;
    await expect(checkPickups(await file(text))).resolves.toEqual([
      { at: Date.UTC(2014, 3, 2, 8), lat: 40.8, lng: -73.9 },
      { at: Date.UTC(2014, 3, 2, 9), lat: 40.7, lng: -74.1 },
    ]);
  });

  it.each([
    ['nothing', '', 'line 1: found nothing, expected a header with pickup_at, lat, lng'],
    ['a header only', HEADER, 'line 2: found nothing, expected at least one row'],
    ['another header', 'a,b\n1,2\n', 'line 1: found "a,b", expected a header with pickup_at, lat, lng'],
    [
      'a latitude outside the world',
      `${HEADER}${GOOD}2014-04-02T08:00:00,91,-74.0,B1\n`,
      'line 3, lat: found "91", expected a latitude from -90 to 90',
    ],
    [
      'no longitude',
      `${HEADER}2014-04-02T08:00:00,40.7,,B1\n`,
      'line 2, lng: found nothing, expected a longitude from -180 to 180',
    ],
    [
      'a number that is none',
      `${HEADER}2014-04-02T08:00:00,4O.7,-74.0,B1\n`,
      'line 2, lat: found "4O.7", expected a latitude from -90 to 90',
    ],
    [
      'a day that is not in the calendar',
      `${HEADER}\n\n2014-04-31T08:00:00,40.7,-74.0,B1\n`,
      'line 4, pickup_at: found "2014-04-31T08:00:00", expected a local time like 2014-04-02T07:00:00',
    ],
    [
      'a cut line',
      `${HEADER}${GOOD}2014-04-02T08\n`,
      'line 3: found 1 columns, expected 4 (pickup_at,lat,lng,base)',
    ],
  ])('with %s is refused in one line', async (_, content, message) => {
    const path = await file(content);
    const refusal = checkPickups(path);
    await expect(refusal).rejects.toMatchObject({ name: 'InputError' });
    await expect(refusal).rejects.toThrow(message);
    await expect(refusal).rejects.toThrow(/^[^\n]+$/);
    await expect(refusal).rejects.toThrow(path);
  });

  it('that is not there is named', async () => {
    await expect(checkPickups('/nowhere.csv')).rejects.toThrow('/nowhere.csv: cannot be read (ENOENT)');
  });

  it('starts the city at 07:00 of its day, or with its first pickup when none follows', () => {
    const at = (hour: number) => ({ at: Date.UTC(2014, 3, 2, hour), lat: 0, lng: 0 });
    expect(cityStart([at(0), at(8)])).toBe(Date.UTC(2014, 3, 2, 7));
    expect(cityStart([at(3), at(5)])).toBe(Date.UTC(2014, 3, 2, 3));
  });

  it('begins again a day later when its pickups are used up', () => {
    const at = (hour: number) => ({ at: Date.UTC(2014, 3, 2, hour), lat: hour, lng: 0 });
    const stream = pickupsFrom([at(3), at(8)], Date.UTC(2014, 3, 2, 7));
    const next = () => new Date(stream.next().value.at).toISOString().slice(0, 13);
    expect([next(), next(), next()]).toEqual(['2014-04-02T08', '2014-04-03T03', '2014-04-03T08']);
  });
});

describe('a trips file', () => {
  const header = 'pickup_at,dropoff_at,passengers,distance_miles,tip,payment\n';
  const card = '2019-03-01T08:00:00,2019-03-01T08:10:00,1,2.0,2.45,credit card\n';
  const cash = '2019-03-01T08:00:00,2019-03-01T08:20:00,1,3.0,0,cash\n';

  it('gives distances, durations, tips and means; what is no trip or has no means is left out', async () => {
    const odd = '2019-03-01T08:00:00,2019-03-01T08:00:05,1,0,0,cash\n';
    const noMeans = '2019-03-01T08:00:00,2019-03-01T08:20:00,1,3.0,0,\n';
    await expect(readTrips(await file(header + card + odd + noMeans + cash))).resolves.toEqual([
      { distanceMeters: 3218.688, durationMs: 600_000, tipMinor: 245, passengers: 1, means: 'card' },
      { distanceMeters: 4828.032, durationMs: 1_200_000, tipMinor: 0, passengers: 1, means: 'cash' },
    ]);
  });

  it.each([
    ['another means', card + cash.replace('cash', 'check'), 'line 3, payment: found "check"'],
    ['a tip below zero', card.replace('2.45', '-1'), 'line 2, tip: found "-1"'],
    ['no cash at all', card, 'found no usable trip paid by cash'],
  ])('with %s is refused', async (_, rows, message) => {
    await expect(readTrips(await file(header + rows))).rejects.toThrow(message);
  });
});
