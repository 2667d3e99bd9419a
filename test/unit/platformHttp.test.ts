import { z } from 'zod';
import { CodedError } from '../../platform/errors';
import { createLogger } from '../../platform/log';
import { validated, type HttpAppOptions, type Listening } from '../../platform/http';
import { httpServers } from '../support/httpServers';

const logged: string[] = [];
const log = createLogger('test', 'debug', { write: (line) => logged.push(line) });
const serve = httpServers(log);

afterEach(() => {
  logged.length = 0;
});

let abortedWith: unknown;
const point = z.strictObject({ lat: z.number().min(-90).max(90), lng: z.number() });
const rides: HttpAppOptions['routes'] = (router) => {
  router.post(
    '/rides/:id',
    validated(
      { params: z.object({ id: z.uuid() }), body: z.object({ pickup: point, note: z.string().optional() }) },
      ({ body, params, requestId }) => ({
        status: 201,
        body: { ...params, lat: body.pickup.lat, requestId },
      }),
    ),
  );
  router.post(
    '/accept',
    validated({}, () => ({ status: 204 })),
  );
  router.get(
    '/search',
    validated({ query: z.object({ near: z.string() }) }, ({ query }) => ({ status: 200, body: query })),
  );
  router.get(
    '/late',
    validated({}, async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      abortedWith = signal.reason;
      return { status: 200, body: {} };
    }),
  );
  router.get('/fails/:how', (req) => {
    if (req.params.how === 'domain') {
      throw Object.assign(new Error('it was cancelled at noon'), {
        code: 'ride_already_cancelled',
        details: { rideId: 'r1' },
      });
    }
    if (req.params.how === 'busy')
      throw new CodedError('dependency_unavailable', 'pricing is not available', { retryAfterSeconds: 7 });
    throw Object.assign(new Error('relation "rides" does not exist'), { code: '42P01' });
  });
};
const problems = {
  ride_already_cancelled: { status: 409, title: 'Already cancelled', description: 'The ride <b> is over.' },
};

const json = { 'content-type': 'application/json' };
const ride = '/rides/0190c1a8-5b7e-7a52-8c3e-111111111111';
const post = (server: Listening, path: string, body: string, headers: Record<string, string> = json) =>
  fetch(server.url + path, { method: 'POST', headers, body });

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  return (await response.json()) as Record<string, unknown>;
}

describe('requests', () => {
  it('reach the handler with their values checked', async () => {
    const server = await serve({ routes: rides });
    const response = await post(server, ride, '{"pickup":{"lat":40.7,"lng":-73.9}}', {
      ...json,
      'x-request-id': 'abc-1',
    });
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({ lat: 40.7, requestId: 'abc-1' });
    expect(response.headers.get('x-request-id')).toBe('abc-1');
    expect(response.headers.get('x-powered-by')).toBeNull();
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('do not choose odd request ids', async () => {
    const server = await serve({ routes: rides });
    const response = await fetch(`${server.url}/healthz`, { headers: { 'x-request-id': 'a b"c' } });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([
    ['broken JSON', '{"pickup":', json, 400, 'malformed_json'],
    ['JSON that is neither object nor array', '"ride"', json, 400, 'malformed_json'],
    ['a body of 65 KiB', JSON.stringify({ note: 'x'.repeat(65 * 1024) }), json, 413, 'body_too_large'],
    [
      'another media type',
      'pickup=1',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'unsupported_media_type',
    ],
    ['no media type', '{}', { 'content-type': '' }, 415, 'unsupported_media_type'],
    [
      'another charset',
      '{}',
      { 'content-type': 'application/json; charset=koi8-r' },
      415,
      'unsupported_media_type',
    ],
    ['another encoding', '{}', { ...json, 'content-encoding': 'zip' }, 415, 'unsupported_media_type'],
    [
      'a body that is not what its encoding says',
      '{}',
      { ...json, 'content-encoding': 'gzip' },
      400,
      'malformed_json',
    ],
  ])('with %s are refused', async (_what, body, headers, status, code) => {
    const server = await serve({ routes: rides });
    const response = await post(server, ride, body, headers);
    expect(response.status).toBe(status);
    expect(await problemOf(response)).toMatchObject({ type: `/problems/${code}`, status, code });
  });

  it('of exactly 64 KiB are read', async () => {
    const server = await serve({ routes: rides });
    const frame = JSON.stringify({ pickup: { lat: 1, lng: 1 }, note: '' });
    const body = JSON.stringify({ pickup: { lat: 1, lng: 1 }, note: 'x'.repeat(64 * 1024 - frame.length) });
    expect((await post(server, ride, body)).status).toBe(201);
    expect((await post(server, ride, `${body} `)).status).toBe(413);
  });

  it('with wrong fields get every field and what is wrong with it', async () => {
    const server = await serve({ routes: rides });
    const body = { pickup: { lat: 91, lng: 'west', alt: 3 }, 'a/b': 1 };
    const problem = await problemOf(await post(server, '/rides/7', JSON.stringify(body)));
    expect(problem).toMatchObject({ status: 400, type: '/problems/validation_failed' });
    const errors = problem.errors as { in: string; pointer: string; detail: string }[];
    expect(errors.map((e) => `${e.in} ${e.pointer}`).sort()).toEqual([
      'body /a~1b',
      'body /pickup/alt',
      'body /pickup/lat',
      'body /pickup/lng',
      'params /id',
    ]);
    expect(errors.find((e) => e.pointer === '/pickup/alt')?.detail).toBe('unknown field');
  });

  it('with text that no database takes are refused, wherever it is', async () => {
    const server = await serve({ routes: rides });
    const id = '01890a5d-ac96-774b-bcce-b302099a8057';
    for (const note of ['"\\u0000"', '"late\\ud800"', '"\\udc00\\ud83d"']) {
      const body = `{"pickup":{"lat":1,"lng":2},"note":${note}}`;
      const problem = await problemOf(await post(server, `/rides/${id}`, body));
      expect(problem).toMatchObject({ status: 400, errors: [{ in: 'body', pointer: '/note' }] });
    }
    const whole = `{"pickup":{"lat":1,"lng":2},"note":"late\\ud83d\\ude00\\n"}`;
    expect((await post(server, `/rides/${id}`, whole)).status).toBe(201);
    expect((await fetch(`${server.url}/search?near=a%00`)).status).toBe(400);
  });

  it('without a body schema may have no fields', async () => {
    const server = await serve({ routes: rides });
    expect((await fetch(`${server.url}/accept`, { method: 'POST' })).status).toBe(204);
    expect((await post(server, '/accept', '{}')).status).toBe(204);
    expect((await problemOf(await post(server, '/accept', '{"code":1}'))).code).toBe('validation_failed');
  });

  it('with unknown or repeated query parameters are refused', async () => {
    const server = await serve({ routes: rides });
    expect((await fetch(`${server.url}/search?near=a`)).status).toBe(200);
    expect((await fetch(`${server.url}/search?near=a&far=b`)).status).toBe(400);
    expect((await fetch(`${server.url}/search?near=a&near=b`)).status).toBe(400);
  });

  it.each(['/nothing', '/rides', '/rides/%E0%A4%A', '/problems/nothing', '/problems/constructor'])(
    'to %s are a 404 problem',
    async (path) => {
      const server = await serve({ routes: rides });
      const response = await fetch(server.url + path);
      expect(response.status).toBe(404);
      expect((await problemOf(response)).type).toBe('/problems/not_found');
    },
  );
});

describe('errors', () => {
  it('of the domain are mapped by their code, with message and details', async () => {
    const server = await serve({ routes: rides, problems });
    const response = await fetch(`${server.url}/fails/domain`);
    expect(response.status).toBe(409);
    expect(await problemOf(response)).toMatchObject({
      type: '/problems/ride_already_cancelled',
      title: 'Already cancelled',
      detail: 'it was cancelled at noon',
      rideId: 'r1',
    });
  });

  it('are logged without what may be a token in the path', async () => {
    const server = await serve({ routes: rides });
    const token = 'x'.repeat(64);
    await fetch(`${server.url}/shared/${token}`);
    await fetch(`${server.url}/fails/plainly`);
    expect(logged.filter((line) => line.includes(token))).toEqual([]);
    expect(logged.some((line) => line.includes('/shared/…'))).toBe(true);
  });

  it('that nobody expected tell nothing, and are logged with the request id', async () => {
    const server = await serve({ routes: rides, problems });
    const response = await fetch(`${server.url}/fails/odd`);
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).not.toContain('relation');
    const { requestId } = JSON.parse(text) as { requestId: string };
    expect(logged.some((line) => line.includes('relation') && line.includes(requestId))).toBe(true);
  });

  it('of dependencies say when to ask again', async () => {
    const server = await serve({ routes: rides });
    const response = await fetch(`${server.url}/fails/busy`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await problemOf(response)).not.toHaveProperty('retryAfterSeconds');
  });

  it('have a page each', async () => {
    const server = await serve({ problems });
    for (const code of ['ride_already_cancelled', 'validation_failed', 'internal']) {
      const page = await fetch(`${server.url}/problems/${code}`, { headers: { accept: 'text/html' } });
      expect(page.status).toBe(200);
      expect(await page.text()).not.toContain('<b>');
    }
    const all = await fetch(`${server.url}/problems`, { headers: { accept: 'application/json' } });
    expect(Object.keys((await all.json()) as object)).toContain('ride_already_cancelled');
  });

  it('of a deadline answer 503 and abort what is under way', async () => {
    const server = await serve({ routes: rides, deadlineMs: 60 });
    const response = await fetch(`${server.url}/late`);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect((await problemOf(response)).type).toBe('/problems/deadline_exceeded');
    expect(abortedWith).toMatchObject({ code: 'deadline_exceeded' });
  });
});
