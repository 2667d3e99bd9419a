import {
  currentUpdateInfo,
  defaultPayloadConverter,
  proxySinks,
  workflowInfo,
  type Headers,
  type Sinks,
  type WorkflowInterceptors,
} from '@temporalio/workflow';

/**
 * Carries a trace through a workflow: from who started it, or sent an Update or a signal, to the activities that come of
 * that. No command of a workflow depends on it, only the headers of commands, which a replay does not look at.
 */

/** Where all of Temporal's SDKs have the trace, as an object with a W3C `traceparent`; ours has the `caller` beside it. */
const traceHeader = '_tracer-data';

/** What was done in a workflow, for the process to write down. Only of traces that are collected. */
export interface TracingSinks extends Sinks {
  tracing: {
    /** `parent` is a traceparent, `spanId` that which what it caused has as its parent, `beganMs` since 1970. */
    done(span: { name: string; parent: string; spanId: string; beganMs: number; failed: boolean }): void;
  };
}

const { tracing } = proxySinks<TracingSinks>();

/** Collected, as W3C's flags have it. */
const sampled = /-[0-9a-f]{16}-[0-9a-f]0*[1-9a-f]$/;

interface Trace {
  readonly traceparent: string;
  /** Who has asked, `role:subject`. */
  readonly caller?: string;
}

function traceOf(headers: Headers): Trace | undefined {
  const payload = headers[traceHeader];
  if (!payload) return undefined;
  const { traceparent, caller } = defaultPayloadConverter.fromPayload<Partial<Trace>>(payload);
  return traceparent === undefined ? undefined : { traceparent, ...(caller === undefined ? {} : { caller }) };
}

const asHeaders = (trace: Trace): Headers => ({ [traceHeader]: defaultPayloadConverter.toPayload(trace) });

/** The same for the same text, so that a replay has it again: a span's id in 16 hexadecimal digits. */
export function spanIdOf(text: string): string {
  const half = (seed: number): string => {
    let hash = seed;
    for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    return ((hash ^ (hash >>> 13)) >>> 0).toString(16).padStart(8, '0');
  };
  return half(0x811c9dc5) + half(0x9747b28c);
}

/** What the SDK's calls hand on: what came in, or a span of ours in its place. */
interface Carried {
  readonly headers: Headers;
  /** The same for what nobody has asked for: what the workflow comes to by itself. */
  readonly unasked: Headers;
  /** Says that the span is over; nothing where none is collected. */
  readonly done: (failed: boolean) => void;
}

function carry(name: string, incoming: Headers, identity: string): Carried | undefined {
  const trace = traceOf(incoming);
  if (trace === undefined) return undefined;
  const { traceparent: parent } = trace;
  const onward = (traceparent: string, done: Carried['done']): Carried => ({
    headers: asHeaders({ ...trace, traceparent }),
    unasked: asHeaders({ traceparent }),
    done,
  });
  if (!sampled.test(parent)) return onward(parent, () => {});
  const { runId, unsafe } = workflowInfo();
  const spanId = spanIdOf(`${runId}/${identity}`);
  const beganMs = unsafe.now();
  return onward(`${parent.slice(0, 36)}${spanId}-01`, (failed) =>
    tracing.done({ name, parent, spanId, beganMs, failed }),
  );
}

/**
 * Says how a handler has ended, once it has. The handler's promise is given back as it is: one of ours around it would settle
 * a turn later, and a workflow's commands could come in another order than in its history.
 */
function told<T>(handled: Promise<T>, ended: (failed: boolean) => void): Promise<T> {
  handled.then(
    () => ended(false),
    () => ended(true),
  );
  return handled;
}

/** Whoever has started the workflow has asked for its first step; what follows it comes to by itself. */
function isFirstStep(input: { readonly args?: readonly unknown[] }): boolean {
  const step = input.args?.[0] as { readonly expectedVersion?: unknown } | undefined;
  return step?.expectedVersion === 0;
}

/** In the bundle of the workflows; see `workflowInterceptorModules`. */
export function interceptors(): WorkflowInterceptors {
  let story: Carried | undefined;
  const updates = new Map<string, Carried>();

  const onward = <I extends { readonly headers: Headers; readonly args?: readonly unknown[] }, R>(
    input: I,
    next: (input: I) => R,
  ): R => {
    const update = currentUpdateInfo();
    const asked = update && updates.get(update.id);
    const own = asked?.headers ?? (isFirstStep(input) ? story?.headers : story?.unasked);
    return next(own ? { ...input, headers: { ...input.headers, ...own } } : input);
  };

  return {
    inbound: [
      {
        execute(input, next) {
          story = carry(`RunWorkflow:${workflowInfo().workflowType}`, input.headers, '');
          // Written down as it begins: it may go on for a day, and whoever looks at the trace meanwhile finds its place.
          story?.done(false);
          return next(input);
        },
        handleUpdate(input, next) {
          const carried = carry(`HandleUpdate:${input.name}`, input.headers, input.updateId);
          if (carried === undefined) return next(input);
          updates.set(input.updateId, carried);
          return told(next(input), (failed) => {
            updates.delete(input.updateId);
            carried.done(failed);
          });
        },
        handleSignal(input, next) {
          const identity = `${input.signalName}/${workflowInfo().historyLength}`;
          const carried = carry(`HandleSignal:${input.signalName}`, input.headers, identity);
          return carried === undefined ? next(input) : told(next(input), carried.done);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: onward,
        scheduleLocalActivity: onward,
        startChildWorkflowExecution: onward,
        signalWorkflow: onward,
        continueAsNew: onward,
      },
    ],
  };
}
