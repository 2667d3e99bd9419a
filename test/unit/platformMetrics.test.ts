import { Gauge } from 'prom-client';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { createClient } from '../../platform/client';
import { CodedError } from '../../platform/errors';
import { createMetrics } from '../../platform/metrics';
import { observeProducer } from '../../platform/metrics/producer';
import { lookWhenScraped } from '../../platform/metrics/scrape';
import { quiet } from '../support/backbone';
import { httpServers } from '../support/httpServers';

const start = httpServers(quiet);

const scrape = async (url: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${url}/metrics`, { headers });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
};

test('shows what the process measures, in Prometheus’ format and OpenTelemetry’s names', async () => {
  const metrics = createMetrics('payments');
  new Gauge({ name: 'hailway_of_our_own', help: 'x', registers: [metrics.registry] }).set(7);
  const { url } = await start({
    metrics,
    routes: (router) => router.get('/v1/rides/:rideId', (_req, res) => void res.json({})),
  });
  await fetch(`${url}/v1/rides/one`);
  await fetch(`${url}/v1/rides/two`);
  await fetch(`${url}/nowhere`);
  metrics.called({ server: 'provider', method: 'POST', status: null, error: 'ETIMEDOUT', seconds: 5 });
  const { status, type, text } = await scrape(url);
  expect({ status, type }).toEqual({ status: 200, type: expect.stringContaining('text/plain') });
  const lines = text.split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'target_info{service_name="hailway-payments"} 1',
      'hailway_of_our_own 7',
      'http_server_request_duration_seconds_count{http_request_method="GET",http_route="/v1/rides/{rideId}",http_response_status_code="200"} 2',
      'http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="404"} 1',
      'http_client_request_duration_seconds_count{http_request_method="POST",server_address="provider",error_type="ETIMEDOUT"} 1',
    ]),
  );
  expect(text).toContain('process_cpu_seconds_total');
});

test('is for some only where the port is everybody’s', async () => {
  const onlyWithToken: RequestHandler = (req, _res, next) => {
    if (req.get('authorization') === undefined) throw new CodedError('unauthenticated', 'no token');
    next();
  };
  const { url } = await start({ metrics: createMetrics('gateway'), metricsFor: onlyWithToken });
  const refused = await scrape(url);
  expect({ status: refused.status, type: refused.type }).toEqual({
    status: 401,
    type: expect.stringContaining('application/problem+json'),
  });
  expect((await scrape(url, { authorization: 'Bearer x' })).status).toBe(200);
});

test('a process that shows none has no such address', async () => {
  const { url } = await start({});
  expect((await scrape(url)).status).toBe(404);
});

test('calls to our own services are counted, and how the circuit before each stands', async () => {
  const metrics = createMetrics('gateway');
  const { url: pricing } = await start({
    routes: (router) => router.get('/quote', (_req, res) => void res.status(503).json({})),
  });
  const client = createClient({
    ...{ name: 'pricing', baseUrl: pricing, token: '', deadlineMs: 1_000 },
    ...{ breakAfter: 2, halfOpenAfterMs: 60_000, metrics },
  });
  const lines = async () => (await metrics.registry.metrics()).split('\n');
  expect(await lines()).toContain('hailway_breaker_state{breaker="pricing",state="closed"} 1');
  for (let i = 0; i < 3; i += 1)
    await expect(client.call('GET', '/quote', { response: z.object({}) })).rejects.toThrow('pricing');
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'hailway_breaker_state{breaker="pricing",state="closed"} 0',
      'hailway_breaker_state{breaker="pricing",state="open"} 1',
      // The third was not let out.
      'http_client_request_duration_seconds_count{http_request_method="GET",server_address="pricing",http_response_status_code="503",error_type="dependency_unavailable"} 2',
    ]),
  );
});

test('a producer’s records, bytes and failures, by OpenTelemetry’s names', async () => {
  const metrics = createMetrics('relay');
  const observer = observeProducer(metrics);
  observer.sent({ topic: 'rides', partition: 3 }, 200, 90_000);
  observer.answered(0.004, null);
  observer.answered(8, 'REQUEST_TIMED_OUT');
  const of = 'messaging_system="kafka",messaging_operation_name="send"';
  expect((await metrics.registry.metrics()).split('\n')).toEqual(
    expect.arrayContaining([
      `messaging_client_sent_messages_total{${of},messaging_destination_name="rides",messaging_destination_partition_id="3"} 200`,
      'hailway_producer_sent_bytes_total{messaging_destination_name="rides"} 90000',
      `messaging_client_operation_duration_seconds_count{${of}} 1`,
      `messaging_client_operation_duration_seconds_count{${of},error_type="REQUEST_TIMED_OUT"} 1`,
      expect.stringMatching(/^hailway_producer_encoding_seconds_total \d/),
    ]),
  );
});

describe('what a scrape has to ask for', () => {
  const looking = async (read: () => Promise<number>, options = {}) => {
    const metrics = createMetrics('audit');
    const look = lookWhenScraped(metrics.registry, { at: 'lag', read, ...options });
    new Gauge({
      ...{ name: 'hailway_lag', help: 'x', labelNames: ['of'], registers: [metrics.registry] },
      async collect() {
        this.reset();
        const seen = await look();
        if (seen !== null) this.set({ of: 'x' }, seen);
      },
    });
    const { url } = await start({ metrics });
    return async () => (await scrape(url)).text.split('\n').filter((line) => /^hailway_/.test(line));
  };

  test('is asked once for all who scrape at the same time, and again when it is old', async () => {
    let asked = 0;
    const shown = await looking(() => Promise.resolve((asked += 1)), { freshForMs: 200 });
    const all = await Promise.all([shown(), shown(), shown()]);
    expect(all.flat()).not.toContain('hailway_lag{of="x"} 2');
    expect(asked).toBe(1);
    const deadline = Date.now() + 10_000;
    while (!(await shown()).includes('hailway_lag{of="x"} 2')) expect(Date.now()).toBeLessThan(deadline);
  });

  test('is missing where it fails, and comes back', async () => {
    let away = true;
    const shown = await looking(() => (away ? Promise.reject(new Error('away')) : Promise.resolve(3)), {
      freshForMs: 0,
    });
    expect(await shown()).toEqual(['hailway_collector_up{collector="lag"} 0']);
    away = false;
    expect(await shown()).toEqual(['hailway_collector_up{collector="lag"} 1', 'hailway_lag{of="x"} 3']);
  });

  test('does not hold up the scrape where it does not answer', async () => {
    let asked = 0;
    const never = () => {
      asked += 1;
      return new Promise<number>(() => {});
    };
    const shown = await looking(never, { withinMs: 50 });
    expect(await shown()).toEqual(['hailway_collector_up{collector="lag"} 0']);
    expect(await shown()).toEqual(['hailway_collector_up{collector="lag"} 0']);
    expect(asked).toBe(1);
  });
});
