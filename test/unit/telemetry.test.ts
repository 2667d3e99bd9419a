import { z } from 'zod';
import { createClient } from '../../platform/client';
import { startTelemetry, currentTraceparent } from '../../platform/telemetry';
import { spanIdOf } from '../../workflows/tracing';
import { quiet } from '../support/backbone';
import { httpServers } from '../support/httpServers';

/** Nobody collects spans here: traces go through all the same. */

const start = httpServers(quiet);
beforeAll(() => void startTelemetry({ service: 'hailway-test', endpoint: '', log: quiet }));

/** A service that asks another, and tells what each of the two has heard. */
async function twoServices() {
  const inner = await start({
    routes: (router) => router.get('/inner', (req, res) => void res.json({ heard: req.get('traceparent') })),
  });
  const client = createClient({ name: 'inner', baseUrl: inner.url, token: '', deadlineMs: 2_000 });
  const response = z.object({ heard: z.string() });
  const { url } = await start({
    routes: (router) =>
      router.get('/outer', async (_req, res) => {
        const before = currentTraceparent();
        const { heard } = await client.call('GET', '/inner', { response });
        res.json({ before, heard, after: currentTraceparent() });
      }),
  });
  return async (headers: Record<string, string> = {}) =>
    (await (await fetch(`${url}/outer`, { headers })).json()) as Record<'before' | 'heard' | 'after', string>;
}

test('a request’s trace goes on from its caller’s to whoever is asked for it', async () => {
  const ask = await twoServices();
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  expect(await ask({ traceparent })).toEqual({ before: traceparent, heard: traceparent, after: traceparent });
});

test.each<Record<string, string>>([
  {},
  { traceparent: 'nonsense' },
  { traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` },
])('one that comes without a trace begins one of its own: %j', async (headers) => {
  const ask = await twoServices();
  const [one, other] = [await ask(headers), await ask(headers)];
  expect(one.before).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  expect(one).toEqual({ before: one.before, heard: one.before, after: one.before });
  expect(other.before).not.toBe(one.before);
});

test('a span of a workflow has the same id in every replay, and another one for every Update', () => {
  const run = '0199c1a2-0000-7000-8000-000000000000';
  const ids = [`${run}/`, `${run}/update-1`, `${run}/update-2`].map(spanIdOf);
  expect(ids).toEqual([`${run}/`, `${run}/update-1`, `${run}/update-2`].map(spanIdOf));
  expect(new Set(ids).size).toBe(3);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{16}$/);
});
