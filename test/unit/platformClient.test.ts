import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { createClient, type Client, type ClientOptions } from '../../platform/client';

let server: Server;
let answer: (req: IncomingMessage, res: ServerResponse) => void;
let calls = 0;

beforeAll(async () => {
  server = createServer((req, res) => {
    calls += 1;
    answer(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
beforeEach(() => {
  calls = 0;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const fare = z.object({ fareMinor: z.int() });
const client = (options: Partial<ClientOptions> = {}): Client =>
  createClient({
    name: 'pricing',
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: 'secret',
    deadlineMs: 100,
    ...options,
  });
const json = (status: number, body: unknown) => (_req: IncomingMessage, res: ServerResponse) => {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};
const quote = (c: Client) => c.call('POST', '/v1/quotes', { body: { km: 3 }, response: fare });
const unavailable = { code: 'dependency_unavailable', message: 'pricing is not available' };

describe('internal calls', () => {
  it('carry the service token, body and query, and give what the schema lets through', async () => {
    let seen: unknown;
    answer = (req, res) => {
      seen = [req.method, req.url, req.headers.authorization, req.headers['content-type']];
      json(200, { fareMinor: 1250 })(req, res);
    };
    const options = { body: {}, query: { near: 'a b', far: undefined }, response: fare };
    expect(await client().call('POST', '/v1/x', options)).toEqual({ fareMinor: 1250 });
    expect(seen).toEqual(['POST', '/v1/x?near=a+b', 'Bearer secret', 'application/json']);
  });

  it.each<[string, typeof answer]>([
    ['a 500', json(500, {})],
    ['a refused service token', json(401, { code: 'unauthenticated' })],
    ['an answer of another shape', json(200, { fare: 1 })],
    ['an answer that is not JSON', (_req, res) => void res.end('<html>')],
    ['no answer in time', () => {}],
    ['an answer that does not end', (_req, res) => void res.write('{')],
    ['a connection cut', (req) => void req.socket.destroy()],
  ])('take %s for an unavailable dependency, and are not repeated', async (_what, behaviour) => {
    answer = behaviour;
    await expect(quote(client())).rejects.toMatchObject(unavailable);
    expect(calls).toBe(1);
  });

  it('keep the code of a problem', async () => {
    answer = json(409, {
      type: '/problems/quote_expired',
      status: 409,
      code: 'quote_expired',
      detail: 'it ended at noon',
      quoteId: 'q1',
    });
    await expect(quote(client())).rejects.toMatchObject({
      code: 'quote_expired',
      message: 'it ended at noon',
      details: { quoteId: 'q1' },
    });
  });

  it('stop asking after failures in a row, and ask again after a while', async () => {
    const broken = client({ breakAfter: 3, halfOpenAfterMs: 80 });
    answer = json(500, {});
    for (let i = 0; i < 6; i += 1) await expect(quote(broken)).rejects.toMatchObject(unavailable);
    expect(calls).toBe(3);
    answer = json(200, { fareMinor: 1 });
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(await quote(broken)).toEqual({ fareMinor: 1 });
  });

  it('do not open the circuit for refusals or for callers who left', async () => {
    const careful = client({ breakAfter: 2 });
    answer = json(404, { code: 'not_found' });
    for (let i = 0; i < 4; i += 1) await expect(quote(careful)).rejects.toMatchObject({ code: 'not_found' });
    answer = () => {};
    for (let i = 0; i < 4; i += 1) {
      const signal = AbortSignal.timeout(5);
      await expect(careful.call('GET', '/', { response: fare, signal })).rejects.toMatchObject({
        name: 'TimeoutError',
      });
    }
    answer = json(200, { fareMinor: 1 });
    expect(await quote(careful)).toEqual({ fareMinor: 1 });
  });
});
