import { Lanes } from '../../platform/kafka/lanes';

/** Work that goes on until it is told to end. */
function openWork() {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { work: () => ended, end };
}

const bounds = { ahead: 1, maxRecords: 10, maxBytes: 100 };
const size = { records: 4, bytes: 10 };
const never = new AbortController().signal;
const failOnError = (error: unknown): never => {
  throw error;
};

test('one batch of a partition is in work, one waits, and the next has no room until the first is done', async () => {
  const lanes = new Lanes(bounds, failOnError);
  const [first, second] = [openWork(), openWork()];
  lanes.push('rides/0', size, first.work);
  expect(lanes.hasRoom('rides/0')).toBe(true);
  lanes.push('rides/0', size, second.work);
  expect(lanes.hasRoom('rides/0')).toBe(false);
  expect(await lanes.room('rides/0', 5, never)).toBe(false);
  const room = lanes.untilRoom('rides/0', never);
  first.end();
  await room;
  expect(lanes.hasRoom('rides/0')).toBe(true);
  second.end();
  await lanes.idle();
});

test.each([
  ['records', { records: 10, bytes: 1 }],
  ['bytes', { records: 1, bytes: 100 }],
])('all partitions together are bounded in %s, and one that has nothing is let in', async (_what, full) => {
  const lanes = new Lanes(bounds, failOnError);
  const work = openWork();
  lanes.push('rides/0', full, work.work);
  expect(lanes.hasRoom('rides/0')).toBe(false);
  expect(lanes.hasRoom('rides/1')).toBe(true);
  work.end();
  await lanes.idle();
  expect(lanes.hasRoom('rides/0')).toBe(true);
});

test('what waits is not begun once it is dropped, and what is in work learns it', async () => {
  const lanes = new Lanes(bounds, failOnError);
  const first = openWork();
  const seen: string[] = [];
  let isLive = (): boolean => true;
  lanes.push('rides/0', size, async (live) => {
    isLive = live;
    await first.work();
  });
  lanes.push('rides/0', size, () => Promise.resolve(void seen.push('second')));
  await Promise.resolve();
  expect(isLive()).toBe(true);
  lanes.drop('rides/0');
  lanes.push('rides/0', size, () => Promise.resolve(void seen.push('third')));
  expect(isLive()).toBe(false);
  first.end();
  await lanes.idle();
  expect(seen).toEqual(['third']);
});

test('what throws is told, and the lane goes on', async () => {
  const errors: unknown[] = [];
  const lanes = new Lanes(bounds, (error) => errors.push(error));
  const seen: string[] = [];
  lanes.push('rides/0', size, () => Promise.reject(new Error('a bug')));
  lanes.push('rides/0', size, () => Promise.resolve(void seen.push('next')));
  await lanes.idle();
  expect([errors, seen]).toEqual([[new Error('a bug')], ['next']]);
});
