import { setGlobalErrorHandler } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, RandomIdGenerator } from '@opentelemetry/sdk-trace-base';
import type { Logger } from '../log';
import { collectBy, takeChosenId } from './trace';

/** A collector that is away is reported this often at most. */
const sayEveryMs = 60_000;

class Ids extends RandomIdGenerator {
  constructor() {
    super();
    const random = this.generateSpanId;
    this.generateSpanId = () => takeChosenId() ?? random();
  }
}

/**
 * Sends spans to a collector by OTLP/HTTP (JSON), in batches in the background; what it does not take is dropped. The SDK
 * reads the sampler and its further settings from OpenTelemetry's standard variables (OTEL_TRACES_SAMPLER, OTEL_BSP_…).
 * @returns sends what is left
 */
export function exportSpans(
  service: string,
  endpoint: string,
  log: Pick<Logger, 'warn'>,
): () => Promise<void> {
  let saidAtMs = -Infinity;
  setGlobalErrorHandler((error) => {
    if (performance.now() - saidAtMs < sayEveryMs) return;
    saidAtMs = performance.now();
    log.warn({ err: error }, 'spans were not exported');
  });
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'process.pid': process.pid }),
    idGenerator: new Ids(),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  collectBy(provider);
  return () => provider.shutdown();
}
