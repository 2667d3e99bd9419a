import { connect, type Socket } from 'node:net';
import {
  createHttpApp,
  listen,
  openEventStream,
  type EventStream,
  type EventStreamOptions,
  type Listening,
} from '../../platform/http';
import { createLogger } from '../../platform/log';

const log = createLogger('test', 'silent');
let server: Listening;
let stream: EventStream;
let requestSignal: AbortSignal | undefined;
let sockets: Socket[] = [];

async function serve(eventStreams: EventStreamOptions = {}, deadlineMs = 10_000): Promise<void> {
  const app = createHttpApp({
    log,
    ready: {},
    eventStreams,
    deadlineMs,
    routes: (router) => {
      router.get('/events', (req, res) => {
        requestSignal = req.context?.signal;
        stream = openEventStream(req, res);
        stream.send({ id: '3', event: 'ride.started', data: { after: stream.lastEventId, text: 'a\nb' } });
      });
    },
  });
  server = await listen(app, { port: 0, portVariable: '', closeGraceMs: 200 });
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  await server.close();
});

const ended = (): Promise<void> => new Promise((resolve) => stream.onEnd(resolve));

/** A reader that stops reading after the first words. */
async function stall(): Promise<void> {
  const socket = connect(server.port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  socket.write('GET /events HTTP/1.1\r\nhost: x\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
}

/** Sends until the stream is over or so much waits in this process, beyond what the kernels hold. */
async function sendUntil(waiting: () => boolean): Promise<number> {
  const data = 'x'.repeat(50_000);
  let sent = 0;
  while (sent < 2_000 && !waiting() && stream.send({ data })) {
    sent += 1;
    if (sent % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return sent;
}

test('carries ids, names, data and heartbeats, past the deadline, until the server closes', async () => {
  await serve({ heartbeatMs: 30 }, 50);
  const response = await fetch(`${server.url}/events`, { headers: { 'last-event-id': '2' } });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  setTimeout(() => void server.close(), 300);
  const text = await response.text();
  expect(text).toContain('retry: 1000\n\nid: 3\nevent: ride.started\ndata: {"after":"2","text":"a\\nb"}\n\n');
  expect(text.match(/: heartbeat/g)?.length).toBeGreaterThan(3);
  expect(stream.ended).toBe(true);
  expect(requestSignal?.aborted).toBe(false);
});

test('ends for the sender when the reader leaves', async () => {
  await serve();
  const abort = new AbortController();
  await fetch(`${server.url}/events`, { signal: abort.signal });
  abort.abort();
  await ended();
  expect(stream.send({ data: 1 })).toBe(false);
});

test('cuts off a reader that leaves too much unread', async () => {
  await serve({ maxBufferedBytes: 100_000, heartbeatMs: 1_000_000 });
  await stall();
  expect(await sendUntil(() => false)).toBeLessThan(2_000);
  expect(stream.ended).toBe(true);
});

test('does not take for slow who was not given time to read: a long story is told in one go', async () => {
  await serve({ maxBufferedBytes: 10_000, heartbeatMs: 1_000_000 });
  const response = await fetch(`${server.url}/events`);
  const told = Array.from({ length: 100 }, (_, n) => stream.send({ id: String(n), data: 'x'.repeat(2_000) }));
  expect(told).toEqual(Array(100).fill(true));
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes('id: 99\n')) text += (await reader.read()).value ?? '';
  expect(stream.ended).toBe(false);
  await reader.cancel();
});

test('cuts off a reader that has something to read and reads none of it between two heartbeats', async () => {
  await serve({ maxBufferedBytes: 1_000_000_000, heartbeatMs: 150 });
  await stall();
  await sendUntil(() => stream.ended);
  await ended();
  expect(stream.send({ data: 1 })).toBe(false);
});

test('heartbeats go on for everybody else, from one timer for all', async () => {
  await serve({ heartbeatMs: 30 });
  const timers = jest.spyOn(globalThis, 'setInterval');
  const responses = await Promise.all(Array.from({ length: 40 }, () => fetch(`${server.url}/events`)));
  expect(timers.mock.calls.filter(([, ms]) => ms === 2)).toHaveLength(1);
  timers.mockRestore();
  for (const response of responses) {
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes(': heartbeat\n\n: heartbeat')) text += (await reader.read()).value ?? '';
    await reader.cancel();
  }
});
