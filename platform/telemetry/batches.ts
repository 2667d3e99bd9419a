import { context, trace } from '@opentelemetry/api';
import {
  isCollecting,
  isSampled,
  type SpanKind,
  spanContextOf,
  withSpan,
  writeSpan,
  type Attributes,
  type Context,
  type LogFields,
  type SpanContext,
} from './trace';

/** Traces of a batch that get a span of their own. */
const mostSpans = 16;
/** Facts of a batch that its span is linked to. */
const mostLinks = 128;

type HeaderValue = string | Buffer | (string | Buffer)[] | undefined;
type Headers = Readonly<Record<string, HeaderValue>>;

const textOf = (value: HeaderValue): string | undefined =>
  value === undefined || Array.isArray(value) ? undefined : value.toString();

/** The places in traces where a batch's facts were made, of those that are collected. */
function origins(batch: readonly { readonly headers: Headers }[]): SpanContext[] {
  const found: SpanContext[] = [];
  for (const { headers } of batch) {
    const { traceparent } = headers;
    if (traceparent === undefined) continue;
    const origin = spanContextOf(textOf(traceparent));
    if (isSampled(origin)) found.push(origin);
    if (found.length === mostLinks) break;
  }
  return found;
}

export interface BatchSpan {
  /** `send rides`, `process rides` */
  readonly name: string;
  readonly kind: SpanKind.CLIENT | SpanKind.CONSUMER;
  readonly attributes: Attributes;
}

/**
 * Runs the work on a batch of facts, in a span that is linked to where they were made. The span belongs to the first of
 * their traces; each further trace gets one that says the same (15 at most), so that who follows a trace sees where its
 * fact went, and a batch of thousands makes a few. Without a fact whose trace is collected there is none.
 */
export async function withBatchSpan<T>(
  { name, kind, attributes }: BatchSpan,
  batch: readonly { readonly headers: Headers }[],
  work: () => Promise<T>,
): Promise<T> {
  const made = isCollecting() ? origins(batch) : [];
  const [first] = made;
  if (first === undefined) return work();
  const beganMs = Date.now();
  const all = { name, kind, attributes: { ...attributes, 'messaging.batch.message_count': batch.length } };
  const others = new Map(made.map((origin) => [origin.traceId, origin]));
  others.delete(first.traceId);
  const partOf = (origin: SpanContext): Context => trace.setSpanContext(context.active(), origin);
  const links = made.map((origin) => ({ context: origin }));
  return withSpan({ ...all, links, parent: partOf(first) }, async (span) => {
    let failed = true;
    try {
      const result = await work();
      failed = false;
      return result;
    } finally {
      for (const origin of [...others.values()].slice(0, mostSpans - 1))
        writeSpan({
          ...all,
          beganMs,
          failed,
          links: [{ context: span.spanContext() }],
          parent: partOf(origin),
        });
    }
  });
}

/** For log lines about a fact: what it belongs to, and its trace. */
export function factFields({ headers }: { readonly headers: Headers }): LogFields {
  const origin = spanContextOf(textOf(headers['traceparent']));
  return {
    correlationId: textOf(headers['ce_correlationid']),
    ...(origin === undefined ? {} : { trace_id: origin.traceId }),
  };
}
