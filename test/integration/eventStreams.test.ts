import { wait } from '../../platform/wait';
import { eventually, running, stopAll, upTo } from '../support/backbone';
import { goOn, matchingRides, openFilesLimit, StreamGround } from '../support/streams/ground';

jest.setTimeout(180_000);

const bytesPerStream = 25 * 1024;
/** Each stream is one open file of the gateway's; where fewer are allowed, the bound for one is the same. */
const streams = Math.min(10_000, openFilesLimit() - 1_000);

let ground: StreamGround;
beforeAll(async () => {
  ground = await StreamGround.start();
  await ground.startGateway();
});
afterEach(async () => {
  await stopAll();
  await ground.closeAll();
});
afterAll(() => ground.stop());

const allSee = (rideIds: readonly string[], versions: (rideId: string) => number) =>
  eventually(
    () => ground.seen(rideIds),
    (seen) => seen.every((ids, i) => ids.length >= versions(rideIds[i]!)),
    60_000,
  );

test(`${streams} open streams take at most 25 KB each, and every one gets its events`, async () => {
  const rides = await matchingRides(ground.pool, streams);
  // What the gateway needs once, whoever comes: its code, connections, buffers.
  await ground.open((await matchingRides(ground.pool, 500)).slice(0, 500));
  await ground.closeAll();
  const before = await ground.memory();
  expect(await ground.open(rides)).toEqual({ 200: streams });
  const after = await ground.memory();
  const perStream = (of: 'rss' | 'heapUsed'): number => (after[of] - before[of]) / streams;
  console.info(
    `a stream takes ${Math.round(perStream('rss'))} bytes, ${Math.round(perStream('heapUsed'))} of them heap`,
  );
  expect(perStream('rss')).toBeLessThan(bytesPerStream);
  expect(perStream('heapUsed')).toBeLessThan(bytesPerStream);

  const going = rides.filter((_, i) => i % 50 === 0);
  for (const rideId of going) await goOn(ground.pool, rideId);
  const isGoing = new Set(going);
  const versionOf = (rideId: string): number => (isGoing.has(rideId) ? 3 : 2);
  const seen = await allSee(rides, versionOf);
  expect(seen.map((ids) => ids.join())).toEqual(rides.map((rideId) => upTo(versionOf(rideId)).join()));
});

test('nothing is missed that is committed while a stream opens, late, or while the gateway is dead', async () => {
  const rides = await matchingRides(ground.pool, 120);
  const versions = new Map(rides.map((rideId) => [rideId, 2]));
  // Transactions that stay open for a while, so that they are committed in another order than they began.
  const writers = rides.map((rideId, i) =>
    running(async (signal) => {
      while (!signal.aborted) {
        await goOn(ground.pool, rideId, i % 3 === 0 ? 60 : 0);
        versions.set(rideId, versions.get(rideId)! + 1);
        await wait(20, signal);
      }
    }),
  );
  for (let restart = 0; restart < 2; restart += 1) {
    expect(await ground.open(rides)).toEqual({ 200: rides.length });
    const goal = new Map(versions);
    await allSee(rides, (rideId) => goal.get(rideId)!);
    await ground.killGateway();
    await ground.startGateway();
  }
  expect(await ground.open(rides)).toEqual({ 200: rides.length });
  await Promise.all(writers.map((writer) => writer.stop()));
  const seen = await allSee(rides, (rideId) => versions.get(rideId)!);
  expect(seen).toEqual(rides.map((rideId) => upTo(versions.get(rideId)!)));
});
