import {
  AlwaysOnSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { SpanKind, startTelemetry, withBatchSpan, withSpan } from '../../platform/telemetry';
import { collectBy } from '../../platform/telemetry/trace';
import { quiet } from '../support/backbone';

const exporter = new InMemorySpanExporter();
beforeAll(() => {
  startTelemetry({ service: 'hailway-test', endpoint: '', log: quiet });
  collectBy(
    new BasicTracerProvider({
      sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    }),
  );
});
beforeEach(() => exporter.reset());

const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '0');
/** A fact that was made in the trace with this number. */
const fact = (trace: number, span = trace, sampled = true) => ({
  headers: { traceparent: Buffer.from(`00-${hex(trace, 32)}-${hex(span, 16)}-${sampled ? '01' : '00'}`) },
});
const batch = {
  name: 'process rides',
  kind: SpanKind.CONSUMER,
  attributes: { 'messaging.system': 'kafka' },
} as const;
const spans = () =>
  exporter.getFinishedSpans().map((span) => ({
    name: span.name,
    trace: parseInt(span.spanContext().traceId, 16),
    parent: parseInt(span.parentSpanContext?.spanId ?? '0', 16),
    links: span.links.map((link) => parseInt(link.context.traceId, 16)),
    facts: span.attributes['messaging.batch.message_count'],
  }));

test('facts of one trace are one span, a child of where the first was made', async () => {
  await withBatchSpan(batch, [fact(7, 1), fact(7, 2), { headers: {} }], async () => {
    await withSpan({ name: 'inside' }, async () => {});
  });
  expect(spans()).toEqual([
    expect.objectContaining({ name: 'inside', trace: 7 }),
    { name: 'process rides', trace: 7, parent: 1, links: [7, 7], facts: 3 },
  ]);
});

test('a batch of thousands is a few spans, and each of the first traces sees its fact handled', async () => {
  const facts = Array.from({ length: 5_000 }, (_, i) => fact(i + 1));
  await withBatchSpan(batch, facts, async () => {});
  const seen = spans();
  expect(seen).toHaveLength(16);
  expect(seen.map(({ trace, parent }) => [trace, parent])).toEqual(
    expect.arrayContaining(Array.from({ length: 16 }, (_, i) => [i + 1, i + 1])),
  );
  const first = seen.find(({ trace }) => trace === 1)!;
  expect(first.links).toHaveLength(128);
  for (const other of seen.filter(({ trace }) => trace !== 1)) expect(other.links).toEqual([1]);
});

test('what nobody collects has no span, and what fails says so in every trace', async () => {
  expect(await withBatchSpan(batch, [fact(1, 1, false)], () => Promise.resolve('done'))).toBe('done');
  expect(spans()).toEqual([]);
  const failing = withBatchSpan(batch, [fact(1), fact(2)], () => Promise.reject(new TypeError('Anna')));
  await expect(failing).rejects.toThrow('Anna');
  const finished = exporter.getFinishedSpans();
  expect(finished.map(({ status }) => status.code)).toEqual([2, 2]);
  // Spans leave the house: no words of errors, which may be about people.
  expect(
    JSON.stringify(finished.map(({ attributes, events, status }) => [attributes, events, status])),
  ).not.toContain('Anna');
});
