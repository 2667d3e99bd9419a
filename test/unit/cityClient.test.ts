import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createApp, Refused, type App } from '../../tools/city/client/app';
import { createWire, type Wire } from '../../tools/city/client/http';
import { parseEvents, streamEvents } from '../../tools/city/client/sse';

type Reply = (req: IncomingMessage, res: ServerResponse) => void;

let server: Server;
let wire: Wire;
let app: App;
let over: AbortController;
let replies: Reply[];
let seen: IncomingMessage[];
let pauses: number[];
let tokens: number;

beforeEach(async () => {
  [replies, seen, pauses, tokens] = [[], [], [], 0];
  server = createServer((req, res) => {
    seen.push(req);
    req.resume();
    req.on('end', () => (replies.shift() ?? json(200, { ok: true }))(req, res));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  over = new AbortController();
  wire = createWire(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  app = createApp(
    {
      wire,
      mint: (role, subject) => Promise.resolve(`${role}.${subject}.${++tokens}`),
      measures: { answered: () => {}, retried: () => {} },
      signal: over.signal,
      waitReal: (ms) => {
        pauses.push(ms);
        return sleep(0, undefined, { signal: over.signal });
      },
    },
    'rider',
    'r1',
  );
});
afterEach(async () => {
  over.abort();
  wire.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply =>
  (_req, res) =>
    void res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const hangUp: Reply = (req) => void req.socket.destroy();

describe('an app', () => {
  it('says who asks, and keeps its token', async () => {
    await app.get('/a');
    await app.post('/b', { x: 1 });
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer rider.r1.1',
      'Bearer rider.r1.1',
    ]);
  });

  it('asks again while the API is away, as late as it is told to', async () => {
    replies = [
      hangUp,
      json(503, {}, { 'retry-after': '2' }),
      json(429, {}),
      json(500, {}),
      json(200, { ok: 1 }),
    ];
    await expect(app.post('/a')).resolves.toEqual({ ok: 1 });
    expect(seen).toHaveLength(5);
    expect(pauses[1]).toBeGreaterThanOrEqual(2_000);
    expect(pauses[1]).toBeLessThanOrEqual(2_500);
    expect(pauses[3]).toBeGreaterThan(pauses[0]!);
  });

  it('gets a new token once when the old one ran out', async () => {
    replies = [json(401, {}), json(200, 'in')];
    await expect(app.get('/a')).resolves.toBe('in');
    expect(seen[1]!.headers.authorization).toBe('Bearer rider.r1.2');
    replies = [json(401, {}), json(401, { type: 'http://x/problems/unauthenticated' })];
    await expect(app.get('/a')).rejects.toMatchObject({ status: 401, code: 'unauthenticated' });
  });

  it('takes a no for a no', async () => {
    replies = [json(409, { type: 'https://h/problems/offer_over', state: 'expired' })];
    const refusal: unknown = await app.post('/v1/offers/o/accept').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refused);
    expect(refusal).toMatchObject({ status: 409, code: 'offer_over', details: { state: 'expired' } });
    expect(seen).toHaveLength(1);
  });

  it('stops at once when the city ends, also while it waits for an answer', async () => {
    replies = [() => {}];
    const asking = app.get('/a');
    await new Promise((resolve) => server.once('request', resolve));
    over.abort(new Error('the city ends'));
    await expect(asking).rejects.toThrow('the city ends');
  });
});

describe('a stream of events', () => {
  const stream =
    (text: string, end = true): Reply =>
    (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write(text);
      if (end) res.end();
    };

  it('goes on after the last event that was seen, whatever breaks it', async () => {
    replies = [
      stream(
        'retry: 1000\n\nid: 1\nevent: a\ndata: {"n":1}\n\n: heartbeat\n\nid: 2\nevent: b\ndata: {"n":2}\n\nid: 3\n',
      ),
      json(503, {}),
      hangUp,
      stream('id: 3\nevent: c\ndata: {"n":3}\n\n', false),
    ];
    const events: unknown[] = [];
    for await (const event of streamEvents(wire, app, '/events')) {
      events.push(event);
      if (events.length === 3) break;
    }
    expect(events).toEqual([
      { id: '1', event: 'a', data: { n: 1 } },
      { id: '2', event: 'b', data: { n: 2 } },
      { id: '3', event: 'c', data: { n: 3 } },
    ]);
    expect(seen.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '2', '2', '2']);
  }, 15_000);

  it('is put together from pieces cut anywhere', async () => {
    const text = 'id: 7\r\nevent: offer\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata: 2\r\n\r\n';
    async function* pieces(): AsyncGenerator<string> {
      for (const piece of text) yield piece;
    }
    const events: unknown[] = [];
    for await (const event of parseEvents(pieces())) events.push(event);
    expect(events).toEqual([
      { id: '7', event: 'offer', data: { a: 1 } },
      { id: null, event: 'message', data: 2 },
    ]);
  });
});
