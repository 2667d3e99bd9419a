import { z } from 'zod';

/** OpenTelemetry's own names and defaults; its SDK reads the rest of them (OTEL_BSP_…, OTEL_EXPORTER_OTLP_HEADERS) by itself. */
export const telemetryVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .union([z.literal(''), z.url({ protocol: /^https?$/ })])
    .default('')
    .meta({ description: 'the http URL of a collector that traces go to by OTLP/HTTP, or empty for none' }),
  OTEL_TRACES_SAMPLER: z
    .enum([
      ...(['always_on', 'always_off', 'traceidratio'] as const),
      ...(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const),
    ])
    .default('parentbased_always_on')
    .meta({ description: 'which traces are collected: parentbased_always_on, parentbased_traceidratio, …' }),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?)?$/)
    .default('')
    .meta({ description: 'the share of traces that parentbased_traceidratio collects, from 0 to 1' }),
};
