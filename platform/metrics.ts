import type { RequestHandler } from 'express';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { showBreakers, type BreakerState } from './metrics/breakers';
import { durations } from './metrics/durations';
import { showPools } from './metrics/pools';
import type { Pool } from './postgres';

/** What one process measures of itself; `/metrics` shows it. */
export interface Metrics {
  /** For what a process adds of its own: `new Gauge({ …, registers: [metrics.registry] })`. */
  readonly registry: Registry;
  /** A request was answered. `route` as in the code, undefined where none took it. */
  served(request: { method: string; route: string | undefined; status: number; seconds: number }): void;
  /** A request to somebody else was answered; `status` is null where it was not. */
  called(request: {
    server: string;
    method: string;
    status: number | null;
    error: string | null;
    seconds: number;
  }): void;
  /** Shows how many connections a pool has, when it is looked at. */
  watchPool(name: string, pool: Pool): void;
  /** Shows how a circuit breaker stands, when it is looked at. */
  watchBreaker(name: string, state: () => BreakerState): void;
}

/**
 * The metrics of one process, in Prometheus' format. Names and labels are OpenTelemetry's semantic conventions where
 * there is one (`http.server.request.duration` is `http_server_request_duration_seconds`), `hailway_…` otherwise.
 */
export function createMetrics(processName: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'target_info',
    help: 'Which process this is',
    labelNames: ['service_name'],
    registers: [registry],
  }).set({ service_name: `hailway-${processName}` }, 1);
  const served = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Duration of HTTP requests that were answered',
    labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
    buckets: durations,
    registers: [registry],
  });
  const called = new Histogram({
    name: 'http_client_request_duration_seconds',
    help: 'Duration of HTTP requests to others',
    labelNames: ['http_request_method', 'server_address', 'http_response_status_code', 'error_type'],
    buckets: durations,
    registers: [registry],
  });
  return {
    registry,
    served: ({ method, route, status, seconds }) =>
      served.observe(
        {
          http_request_method: method,
          ...(route === undefined ? {} : { http_route: route }),
          http_response_status_code: status,
        },
        seconds,
      ),
    called: ({ server, method, status, error, seconds }) =>
      called.observe(
        {
          http_request_method: method,
          server_address: server,
          ...(status === null ? {} : { http_response_status_code: status }),
          ...(error === null ? {} : { error_type: error }),
        },
        seconds,
      ),
    watchPool: showPools(registry),
    watchBreaker: showBreakers(registry),
  };
}

/** Answers with what is measured. */
export const showMetrics =
  ({ registry }: Metrics): RequestHandler =>
  async (_req, res) => {
    res.type(registry.contentType).send(await registry.metrics());
  };
