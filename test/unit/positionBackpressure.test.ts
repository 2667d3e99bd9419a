import { once } from 'node:events';
import { connect } from 'node:net';
import { doorsForFile, good, positions } from '../support/positionDoors';

const doors = doorsForFile();

test('when Kafka does not keep up, clients are told when to come again, and nothing more is kept', async () => {
  const { post, taken } = await doors({ capacity: 10 });
  const many = positions(...Array.from({ length: 6 }, () => good));
  const path = '/v1/drivers/me/positions';
  expect((await post(path, 'driver.d1', many)).status).toBe(202);
  const full = await post(path, 'driver.d2', many);
  expect(full).toMatchObject({ status: 429, body: { code: 'too_many_positions' } });
  expect(full.headers.get('retry-after')).toBe('1');
  expect((await post(path, 'driver.d2', positions(good, good, good, good))).status).toBe(202);
  // Now not even the body is looked at.
  expect((await post(path, 'driver.d3', 'no JSON')).status).toBe(429);
  expect(taken).toHaveLength(10);
});

/** Announces a body of a million bytes at the fleets' door; `said` is what it is answered first. */
async function announce(port: number, more: Record<string, string> = { expect: '100-continue' }) {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const headers = {
    ...{ host: 'h', authorization: 'Bearer fleet.fleet', 'content-type': 'application/json' },
    ...{ 'content-length': 1_000_000, ...more },
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST /v1/fleet/positions HTTP/1.1\r\n${lines.join('')}\r\n`);
  const [said] = (await once(socket, 'data')) as [Buffer];
  return { socket, said: said.toString() };
}

test('bodies that are announced and do not come take no room, and are given up in time', async () => {
  const { port, post } = await doors({ budgetBytes: 2_500_000 });
  // Timeouts alone: sockets need the others.
  jest.useFakeTimers({
    doNotFake: ['Date', 'hrtime', 'performance', 'nextTick', 'queueMicrotask', 'setImmediate', 'setInterval'],
  });
  try {
    const silent = await Promise.all(Array.from({ length: 5 }, () => announce(port)));
    jest.advanceTimersByTime(9_999);
    const large = ' '.repeat(1_000_000) + positions({ ...good, driverId: 'f1' });
    expect((await post('/v1/fleet/positions', 'fleet.fleet', large)).status).toBe(202);
    const answers = Promise.all(silent.map(({ socket }) => once(socket, 'data')));
    const ends = Promise.all(silent.map(({ socket }) => once(socket, 'end')));
    jest.advanceTimersByTime(1);
    for (const [answer] of await answers)
      expect(String(answer)).toMatch(/^HTTP\/1.1 408 [^]*connection: close[^]*body_incomplete/);
    await ends;
  } finally {
    jest.useRealTimers();
  }
});

test('bodies that are on their way are bounded in sum, and let go of with their connection', async () => {
  const { port, post } = await doors({ budgetBytes: 2_500_000 });
  const begin = async () => {
    const { socket } = await announce(port);
    socket.write(' '.repeat(999_999));
    return socket;
  };
  const slow = await Promise.all([begin(), begin()]);
  const body = positions({ ...good, driverId: 'f1' });
  const large = ' '.repeat(1_000_000) + body;
  const statusOfLarge = async () => (await post('/v1/fleet/positions', 'fleet.fleet', large)).status;
  while ((await statusOfLarge()) !== 429);
  expect((await post('/v1/fleet/positions', 'fleet.fleet', body)).status).toBe(202);
  const third = await announce(port, {});
  expect(third.said).toMatch(/^HTTP\/1.1 429 [^]*retry-after: 1/);
  for (const socket of [...slow, third.socket]) socket.destroy();
  while ((await statusOfLarge()) !== 202);
});
