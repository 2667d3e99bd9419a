import type { WorkflowClientInterceptor } from '@temporalio/client';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { ActivityInterceptorsFactory, InjectedSinks } from '@temporalio/worker';
import type { Sinks } from '@temporalio/workflow';
import {
  contextFrom,
  currentCaller,
  currentTraceparent,
  SpanKind,
  within,
  withCaller,
  withLogFields,
  withSpan,
  writeSpan,
} from './trace';

/**
 * Where all of Temporal's SDKs have the trace, as an object with a W3C `traceparent`; ours has beside it who has asked,
 * `role:subject`.
 */
const traceHeader = '_tracer-data';

function withTrace(headers: Headers): Headers {
  const traceparent = currentTraceparent();
  if (traceparent === undefined) return headers;
  return {
    ...headers,
    [traceHeader]: defaultPayloadConverter.toPayload({ traceparent, caller: currentCaller() }),
  };
}

function traceIn(headers: Headers): { readonly traceparent?: string; readonly caller?: string } {
  const payload = headers[traceHeader];
  return payload
    ? defaultPayloadConverter.fromPayload<{ traceparent?: string; caller?: string }>(payload)
    : {};
}

/** What a client asks of a workflow, in a span each; the trace goes along in the headers. */
export const clientTracing: WorkflowClientInterceptor = {
  startWithDetails: (input, next) =>
    asking(`StartWorkflow:${input.workflowType}`, () =>
      next({ ...input, headers: withTrace(input.headers) }),
    ),
  signal: (input, next) =>
    asking(`SignalWorkflow:${input.signalName}`, () => next({ ...input, headers: withTrace(input.headers) })),
  signalWithStart: (input, next) =>
    asking(`SignalWithStartWorkflow:${input.workflowType}`, () =>
      next({ ...input, headers: withTrace(input.headers) }),
    ),
  startUpdate: (input, next) =>
    asking(`UpdateWorkflow:${input.updateName}`, () => next({ ...input, headers: withTrace(input.headers) })),
  startUpdateWithStart: (input, next) =>
    asking(`UpdateWithStartWorkflow:${input.workflowType}`, () =>
      next({
        ...input,
        workflowStartHeaders: withTrace(input.workflowStartHeaders),
        updateHeaders: withTrace(input.updateHeaders),
      }),
    ),
};

const asking = <T>(name: string, ask: () => Promise<T>): Promise<T> =>
  withSpan({ name, kind: SpanKind.CLIENT }, ask);

/** An activity goes on with the trace of what asked for it, in a span for each attempt. */
export const activityTracing: ActivityInterceptorsFactory = ({ info }) => ({
  inbound: {
    execute(input, next) {
      const { activityType, workflowExecution, attempt } = info;
      const { traceparent, caller } = traceIn(input.headers);
      const parent = withLogFields(withCaller(contextFrom(traceparent), caller), {
        activity: activityType,
        workflowId: workflowExecution?.workflowId,
      });
      const attributes = { 'temporal.activity.attempt': attempt };
      return within(parent, () =>
        withSpan({ name: `RunActivity:${activityType}`, attributes }, () => next(input)),
      );
    },
  },
});

/** What workflows say of themselves, see `workflows/tracing.ts`. */
interface TracingSinks extends Sinks {
  tracing: {
    done(span: { name: string; parent: string; spanId: string; beganMs: number; failed: boolean }): void;
  };
}

export const tracingSinks: InjectedSinks<TracingSinks> = {
  tracing: {
    done: {
      fn: (_info, { name, parent, spanId, beganMs, failed }) =>
        writeSpan({ name, parent: contextFrom(parent), id: spanId, beganMs, failed }),
    },
  },
};
