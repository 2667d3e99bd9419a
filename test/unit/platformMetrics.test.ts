import { Gauge } from 'prom-client';
import type { RequestHandler } from 'express';
import { CodedError } from '../../platform/errors';
import { createMetrics } from '../../platform/metrics';
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
