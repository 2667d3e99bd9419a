import { createPositionsHandler } from '../../consumers/location/handler';
import { PositionIndex } from '../../consumers/location/positionIndex';
import { positionsMediaType } from '../../contracts/api/positions';
import { PositionWriter } from '../../contracts/positionWriter';
import { doorsForFile, good, nowMs, positions } from '../support/positionDoors';

/** From a door to location's index, without the broker between them: what a request changes that comes late. */

const doors = doorsForFile();

type Sent = Readonly<{ sequence: number; lat: number }>;
const fleets = { driverId: 'f1' };
const inBinary = (items: readonly Sent[]): Uint8Array<ArrayBuffer> => {
  const writer = new PositionWriter(nowMs);
  for (const item of items) writer.add({ ...fleets, lng: good.lng, atMs: nowMs - 1_000, ...item });
  return writer.finish();
};
const inJson = (more: object) => (items: readonly Sent[]) =>
  positions(...items.map((item) => ({ ...good, ...more, ...item })));

test.each([
  ['a driver', '/v1/drivers/me/positions', 'driver.f1', inJson({}), 'application/json'],
  ['a fleet', '/v1/fleet/positions', 'fleet.fleet', inJson(fleets), 'application/json'],
  ['a fleet in binary', '/v1/fleet/positions', 'fleet.fleet', inBinary, positionsMediaType],
])(
  'of %s a sequence below that of an earlier request is taken, and changes nothing',
  async (_whose, path, token, bodyOf, mediaType) => {
    const index = new PositionIndex();
    const handler = createPositionsHandler({ index, keepMs: 60_000, now: () => nowMs });
    const { post, run } = await doors({
      send: (records) => {
        handler.take(
          records.map(({ value }) => ({ partition: 0, value: value as Buffer, timestamp: nowMs })),
        );
        return Promise.resolve();
      },
    });
    /** Posts it, and has what was taken sent. */
    const say = async (...items: Sent[]) => {
      const answer = await post(path, token, bodyOf(items), { 'content-type': mediaType });
      await run(AbortSignal.abort());
      return answer;
    };
    const whole = { sequence: 7, lat: 40.7 };
    const known = { sequence: 7, lat: 40.7, lng: good.lng };
    const isTaken = { status: 202, body: { taken: 1, refused: 0, errors: [] } };
    expect(await say(whole)).toMatchObject(isTaken);
    expect(index.find('f1', nowMs)).toMatchObject(known);
    expect(await say({ sequence: 5, lat: 40.8 })).toMatchObject(isTaken);
    expect(await say({ sequence: 7, lat: 40.9 })).toMatchObject(isTaken);
    expect(index.find('f1', nowMs)).toMatchObject(known);
    expect(handler.counts).toMatchObject({ records: 3, applied: 1, outdated: 2, malformed: 0, refused: 0 });
    // Within one request it is told.
    expect(await say({ sequence: 9, lat: 40.8 }, { sequence: 8, lat: 40.8 })).toMatchObject({
      ...{ status: 400, body: { index: 1, errors: [{ pointer: '/positions/1/sequence' }] } },
    });
    expect(index.find('f1', nowMs)).toMatchObject(known);
    expect(await say({ sequence: 8, lat: 40.8 })).toMatchObject(isTaken);
    expect(index.find('f1', nowMs)).toMatchObject({ sequence: 8, lat: 40.8 });
  },
);
