import { PartitionQueues } from '../../platform/kafka/partitionQueues';

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
  const queues = new PartitionQueues(bounds, failOnError);
  const [first, second] = [openWork(), openWork()];
  queues.push('rides/0', size, first.work);
  expect(queues.hasRoom('rides/0')).toBe(true);
  queues.push('rides/0', size, second.work);
  expect(queues.hasRoom('rides/0')).toBe(false);
  expect(await queues.room('rides/0', 5, never)).toBe(false);
  const room = queues.untilRoom('rides/0', never);
  first.end();
  await room;
  expect(queues.hasRoom('rides/0')).toBe(true);
  second.end();
  await queues.idle();
});

test.each([
  ['records', { records: 10, bytes: 1 }],
  ['bytes', { records: 1, bytes: 100 }],
])('all partitions together are bounded in %s, and one that has nothing is let in', async (_what, full) => {
  const queues = new PartitionQueues(bounds, failOnError);
  const work = openWork();
  queues.push('rides/0', full, work.work);
  expect(queues.hasRoom('rides/0')).toBe(false);
  expect(queues.hasRoom('rides/1')).toBe(true);
  work.end();
  await queues.idle();
  expect(queues.hasRoom('rides/0')).toBe(true);
});

test('what waits is not begun once it is dropped, and what is in work learns it', async () => {
  const queues = new PartitionQueues(bounds, failOnError);
  const first = openWork();
  const seen: string[] = [];
  let isLive = (): boolean => true;
  queues.push('rides/0', size, async (live) => {
    isLive = live;
    await first.work();
  });
  queues.push('rides/0', size, () => Promise.resolve(void seen.push('second')));
  await Promise.resolve();
  expect(isLive()).toBe(true);
  queues.drop('rides/0');
  queues.push('rides/0', size, () => Promise.resolve(void seen.push('third')));
  expect(isLive()).toBe(false);
  first.end();
  await queues.idle();
  expect(seen).toEqual(['third']);
});

test('what throws is told, and the queue goes on', async () => {
  const errors: unknown[] = [];
  const queues = new PartitionQueues(bounds, (error) => errors.push(error));
  const seen: string[] = [];
  queues.push('rides/0', size, () => Promise.reject(new Error('a bug')));
  queues.push('rides/0', size, () => Promise.resolve(void seen.push('next')));
  await queues.idle();
  expect([errors, seen]).toEqual([[new Error('a bug')], ['next']]);
});
