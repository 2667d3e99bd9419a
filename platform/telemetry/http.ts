import type { Request } from 'express';
import { SpanStatusCode } from '@opentelemetry/api';
import { beginTrace, currentTraceparent, SpanKind, untraced, within, withLogFields, withSpan } from './trace';

/** A request in hand, as its trace has it. */
export interface RequestTrace {
  /** Runs what belongs to the request. */
  run<T>(work: () => T): T;
  /** It was answered, or its client has gone. `route` as in the code, undefined where none took it. */
  end(answer: { route: string | undefined; status: number; path: string }): void;
}

/** Asked again and again by machines: no trace begins there. */
const machines: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics']);

/** The span of a request to us, in the trace that its caller names or in a new one. */
export function traceRequest(req: Request, requestId: string): RequestTrace {
  const { method } = req;
  const attributes = { 'http.request.method': method, 'url.scheme': req.protocol };
  const { span, inside } = machines.has(req.path)
    ? untraced
    : beginTrace({ name: method, attributes }, req.get('traceparent'));
  const context = withLogFields(inside, { requestId });
  return {
    run: (work) => within(context, work),
    end({ route, status, path }) {
      if (route !== undefined) span.updateName(`${method} ${route}`).setAttribute('http.route', route);
      span.setAttributes({ 'http.response.status_code': status, 'url.path': path });
      if (status >= 500)
        span.setAttribute('error.type', String(status)).setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

/**
 * A request to somebody else, in a span of its own. `send` gets the headers to send along: for our own services, not for
 * strangers.
 */
export function traceCall<T>(
  call: { readonly method: string; readonly server: string },
  send: (headers: Record<string, string>, answered: (status: number) => void) => Promise<T>,
): Promise<T> {
  const { method, server } = call;
  const attributes = { 'http.request.method': method, 'server.address': server };
  return withSpan({ name: method, kind: SpanKind.CLIENT, attributes }, (span) => {
    const traceparent = currentTraceparent();
    return send(traceparent === undefined ? {} : { traceparent }, (status) => {
      span.setAttribute('http.response.status_code', status);
      if (status >= 400)
        span.setAttribute('error.type', String(status)).setStatus({ code: SpanStatusCode.ERROR });
    });
  });
}
