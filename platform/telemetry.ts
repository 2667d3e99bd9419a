import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import type { Logger } from './log';
import type * as Exporting from './telemetry/export';
import { wait } from './wait';

export { factFields, withBatchSpan } from './telemetry/batches';
export { traceCall, traceRequest, type RequestTrace } from './telemetry/http';
export { tracedProducer } from './telemetry/producer';
export { asCaller, currentCaller, currentTraceparent, SpanKind, withSpan } from './telemetry/trace';

/** A process that ends waits this long for its last spans to be taken. */
const flushWithinMs = 2_000;

/**
 * Has traces go through this process: from a request, an activity or a fact to what they cause, whether they are collected
 * or not. With an endpoint spans are exported to it; only then is the SDK loaded at all.
 * @returns sends what is left, and waits no longer than 2 s for that
 */
export function startTelemetry(options: {
  /** `hailway-gateway` */
  readonly service: string;
  /** Of a collector of OTLP/HTTP, or empty for none. */
  readonly endpoint: string;
  readonly log: Pick<Logger, 'warn'>;
}): () => Promise<void> {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  if (options.endpoint === '') return () => Promise.resolve();
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the SDK is loaded only where it is used
  const { exportSpans } = require('./telemetry/export') as typeof Exporting;
  const flush = exportSpans(options.service, options.endpoint, options.log);
  return async () => {
    const flushed = new AbortController();
    const flushing = flush()
      .catch(() => {})
      .finally(() => flushed.abort());
    await Promise.race([flushing, wait(flushWithinMs, flushed.signal)]);
  };
}
