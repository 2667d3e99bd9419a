import { randomBytes } from 'node:crypto';
import {
  context,
  createContextKey,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  type TracerProvider,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { codeOf } from '../errors';

export { SpanKind, type Attributes, type Context, type SpanContext };

/** Does nothing, and answers spans that are their parent, until `startTelemetry` has something to export to. */
const tracer = trace.getTracer('hailway');
const noSpan = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
/** Whether spans go anywhere from this process. */
let collecting = false;
export const isCollecting = (): boolean => collecting;
const fieldsKey = createContextKey('fields of log lines');
const callerKey = createContextKey('caller');

export type LogFields = Readonly<Record<string, string | undefined>>;

/** W3C's text for a place in a trace. */
const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags & TraceFlags.SAMPLED ? '01' : '00'}`;

/** The place in a trace that a traceparent names, somewhere else; undefined where it names none. */
export function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const parsed = traceparent === undefined ? null : parseTraceParent(traceparent);
  return parsed && isSpanContextValid(parsed) ? { ...parsed, isRemote: true } : undefined;
}

/** What goes on from there, and from nothing where it names no trace. */
export function contextFrom(traceparent: string | undefined): Context {
  const from = spanContextOf(traceparent);
  return from ? trace.setSpanContext(ROOT_CONTEXT, from) : ROOT_CONTEXT;
}

/** The traceparent of what is under way, to be sent along with whatever it causes; undefined where it has no trace. */
export function currentTraceparent(): string | undefined {
  const current = trace.getSpanContext(context.active());
  return current && isSpanContextValid(current) ? traceparentOf(current) : undefined;
}

export const isSampled = (at: SpanContext | undefined): at is SpanContext =>
  at !== undefined && (at.traceFlags & TraceFlags.SAMPLED) !== 0;

/** What log lines say of everything that is done in this context. */
export const withLogFields = (within: Context, fields: LogFields): Context =>
  within.setValue(fieldsKey, fields);

/** For the log: of which request, activity or fact a line is, and the trace, by OpenTelemetry's names. */
export function currentLogFields(): LogFields {
  const active = context.active();
  if (active === ROOT_CONTEXT) return {};
  const { traceId, spanId } = trace.getSpanContext(active) ?? INVALID_SPAN_CONTEXT;
  return {
    ...(active.getValue(fieldsKey) as LogFields | undefined),
    ...(traceId === INVALID_SPAN_CONTEXT.traceId ? {} : { trace_id: traceId, span_id: spanId }),
  };
}

/** What is done in this context is asked for by this caller, `role:subject`; by nobody where it is undefined. */
export const withCaller = (within: Context, caller: string | undefined): Context =>
  within.setValue(callerKey, caller);

/** Runs `work`, and whatever it awaits, as asked for by this caller. */
export const asCaller = <T>(caller: string, work: () => T): T =>
  context.with(withCaller(context.active(), caller), work);

/** Who has asked for what is under way, `role:subject`; undefined for what the house does by itself. */
export const currentCaller = (): string | undefined =>
  context.active().getValue(callerKey) as string | undefined;

/** Runs `work`, and whatever it awaits, in a context. */
export const within = <T>(inside: Context, work: () => T): T => context.with(inside, work);

export interface SpanOptions {
  /** Of low cardinality: `POST /v1/rides/{rideId}/cancel`, never with an id in it. */
  readonly name: string;
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  readonly links?: Link[];
  /** What it is a part of; what is under way unless told otherwise. */
  readonly parent?: Context;
}

/**
 * Runs `work` in a span of the trace that is under way. Without one, or in one that nobody collects, it only runs it:
 * traces begin at the doors (`beginTrace`). A span that fails says how (the error's code or name), never the error's words,
 * which may be about a person.
 */
export async function withSpan<T>(options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  const { name, kind = SpanKind.INTERNAL, attributes = {}, links = [], parent = context.active() } = options;
  if (!isSampled(trace.getSpanContext(parent))) return context.with(parent, () => work(noSpan));
  const span = tracer.startSpan(name, { kind, attributes, links }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), () => work(span));
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
}

function failSpan(span: Span, error: unknown): void {
  span.setAttribute('error.type', codeOf(error) ?? (error instanceof Error ? error.name : 'unknown'));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/**
 * The span of what comes in through a door, and the context in which it is handled. It goes on with the trace that the
 * caller names, or begins one: also where nobody collects spans, so that facts and log lines can be found by it.
 */
export function beginTrace(
  { name, attributes = {} }: Pick<SpanOptions, 'name' | 'attributes'>,
  traceparent: string | undefined,
): { span: Span; inside: Context } {
  const from = contextFrom(traceparent);
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, from);
  if (isSpanContextValid(span.spanContext())) return { span, inside: trace.setSpan(from, span) };
  const ids = randomBytes(24).toString('hex');
  const made = { traceId: ids.slice(0, 32), spanId: ids.slice(32), traceFlags: TraceFlags.NONE };
  return { span, inside: trace.setSpanContext(from, made) };
}

/** What has no trace. */
export const untraced = { span: noSpan, inside: ROOT_CONTEXT };

/** The id of the next span, where it is settled before the span begins. */
let chosenId: string | undefined;

/** From now on spans are collected by this provider. */
export function collectBy(provider: TracerProvider): void {
  trace.setGlobalTracerProvider(provider);
  collecting = true;
}

/** For `IdGenerator`. */
export function takeChosenId(): string | undefined {
  const id = chosenId;
  chosenId = undefined;
  return id;
}

/** What a span that is over was. */
export interface PastSpan extends Pick<SpanOptions, 'name' | 'kind' | 'attributes' | 'links'> {
  readonly parent: Context;
  /** Milliseconds since 1970; it ends now. */
  readonly beganMs: number;
  readonly failed: boolean;
  /** That others have as their parent's already; a new one unless given. */
  readonly id?: string;
}

/** Writes down a span that is over. */
export function writeSpan({ name, parent, beganMs, failed, id, ...rest }: PastSpan): void {
  chosenId = id;
  const span = tracer.startSpan(name, { kind: SpanKind.INTERNAL, ...rest, startTime: beganMs }, parent);
  chosenId = undefined;
  if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
