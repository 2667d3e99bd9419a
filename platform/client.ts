import { circuitBreaker, ConsecutiveBreaker, handleWhen, isBrokenCircuitError } from 'cockatiel';
import type { z } from 'zod';
import { CodedError, codeOf, DependencyUnavailable } from './errors';
import type { Metrics } from './metrics';
import { breakerState } from './metrics/breakers';
import { traceCall } from './telemetry';

export interface ClientOptions {
  /** Of the service called, for messages. */
  readonly name: string;
  readonly baseUrl: string;
  /** Bearer token of the calling service; empty sends none. */
  readonly token: string;
  /** Milliseconds until a call is given up, answer included. */
  readonly deadlineMs: number;
  /** Failures in a row that open the circuit (5), and for how long it stays open (1 s). */
  readonly breakAfter?: number;
  readonly halfOpenAfterMs?: number;
  /** Counts the calls, and shows how the circuit stands. */
  readonly metrics?: Metrics;
}

export interface CallOptions<T> {
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer's shape; an answer of another shape is a fault of the service called. */
  readonly response: z.ZodType<T>;
  /** Of the request this call serves. */
  readonly signal?: AbortSignal;
}

export interface Client {
  /**
   * One call, never repeated: who knows whether it is safe repeats it.
   * @throws DependencyUnavailable no connection, no answer in time, a 5xx, a refused service token, or the
   *   circuit is open; CodedError with the problem's code for any other 4xx.
   */
  call<T>(method: string, path: string, options: CallOptions<T>): Promise<T>;
}

const maxAnswerBytes = 4 * 1024 * 1024;

/** HTTP calls to another service of the house: service token, deadline, circuit breaker, the trace, no retry. */
export function createClient(options: ClientOptions): Client {
  const { name, baseUrl, token, deadlineMs, breakAfter = 5, halfOpenAfterMs = 1_000, metrics } = options;
  const breaker = circuitBreaker(
    handleWhen((error) => error instanceof DependencyUnavailable),
    { halfOpenAfter: halfOpenAfterMs, breaker: new ConsecutiveBreaker(breakAfter) },
  );
  metrics?.watchBreaker(name, () => breakerState(breaker.state));

  const attempt = async <T>(
    method: string,
    path: string,
    call: CallOptions<T>,
    trace: Record<string, string>,
    answered: (status: number) => void,
  ): Promise<T> => {
    const url = new URL(path, baseUrl);
    for (const [key, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    const deadline = AbortSignal.timeout(deadlineMs);
    let status: number;
    let text: string;
    try {
      const response = await fetch(url, {
        method,
        headers: {
          accept: 'application/json',
          ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
          ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...trace,
          ...call.headers,
        },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        signal: call.signal ? AbortSignal.any([call.signal, deadline]) : deadline,
        redirect: 'error',
      });
      status = response.status;
      answered(status);
      text = await readBounded(response, maxAnswerBytes);
    } catch (error) {
      // The caller lost interest: that says nothing about the service called.
      if (call.signal?.aborted) throw call.signal.reason;
      throw new DependencyUnavailable(name, { cause: error });
    }
    if (status >= 400) throw failure(name, status, text);
    const parsed = call.response.safeParse(parseJson(text));
    if (!parsed.success) throw new DependencyUnavailable(name, { cause: parsed.error });
    return parsed.data;
  };

  /** In a span, and counted: who was not asked at all is neither. */
  const seen = <T>(method: string, path: string, call: CallOptions<T>): Promise<T> =>
    traceCall({ method, server: name }, async (trace, answered) => {
      const startedAt = performance.now();
      let status: number | null = null;
      let error: string | null = null;
      try {
        return await attempt(method, path, call, trace, (given) => {
          status = given;
          answered(given);
        });
      } catch (failure) {
        error = codeOf(failure) ?? 'aborted';
        throw failure;
      } finally {
        const seconds = (performance.now() - startedAt) / 1_000;
        metrics?.called({
          server: name,
          method,
          status,
          error: status === null || status >= 500 ? error : null,
          seconds,
        });
      }
    });

  return {
    async call(method, path, callOptions) {
      try {
        return await breaker.execute(() => seen(method, path, callOptions));
      } catch (error) {
        if (isBrokenCircuitError(error)) {
          throw new DependencyUnavailable(name, {
            cause: error,
            retryAfterSeconds: Math.ceil(halfOpenAfterMs / 1_000),
          });
        }
        throw error;
      }
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readBounded(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    const part = chunk as Uint8Array;
    bytes += part.byteLength;
    if (bytes > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`);
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A problem of the service called keeps its code, so that the caller's table answers it the same way. */
function failure(name: string, status: number, text: string): CodedError {
  const cause = new Error(`${name} answered ${status}: ${text.slice(0, 500)}`);
  const body = parseJson(text);
  const problem = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  // A refused service token is our set-up's fault, not that of whoever called us.
  if (status >= 500 || status === 401 || status === 403) {
    const behind = typeof problem.dependency === 'string' ? `: ${problem.dependency}` : '';
    return new DependencyUnavailable(`${name}${behind}`, { cause });
  }
  const code = typeof problem.code === 'string' ? problem.code : `http_${status}`;
  const { type: _type, status: _status, title, detail, code: _code, requestId: _id, ...details } = problem;
  const message = typeof detail === 'string' ? detail : typeof title === 'string' ? title : cause.message;
  return new CodedError(code, message, details, { cause });
}
