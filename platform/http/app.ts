import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Router,
} from 'express';
import helmet from 'helmet';
import { CodedError } from '../errors';
import type { Logger } from '../log';
import { showMetrics, type Metrics } from '../metrics';
import { traceRequest } from '../telemetry';
import { appStateOf, type AppState, type RequestContext } from './context';
import { serveDirect, type DirectRoutes } from './directRoutes';
import { EventStreams, type EventStreamOptions } from './eventStream';
import { healthRoutes, type ReadinessChecks } from './health';
import { problemPages } from './problemPages';
import { builtInProblems, sendProblem, toProblem, type ProblemTable } from './problems';
import { requestIdOf } from './requestId';

export const bodyLimitBytes = 64 * 1024;

export interface HttpAppOptions {
  readonly log: Logger;
  /** What must answer for this process to be of use, by name; `/readyz` runs them. */
  readonly ready: ReadinessChecks;
  /** The service's codes, beside the built-in ones. */
  readonly problems?: ProblemTable;
  /** Milliseconds within which a request is answered, whatever happens; 10 s if not given. */
  readonly deadlineMs?: number;
  readonly eventStreams?: EventStreamOptions;
  /** Counts the requests, and is shown at `/metrics`: to everybody unless `metricsFor` lets only some through. */
  readonly metrics?: Metrics;
  readonly metricsFor?: RequestHandler;
  /** Routes that read the body themselves (signed webhooks, forms): mounted before the JSON parser. */
  readonly rawRoutes?: (router: Router) => void;
  /** Routes for very many requests, in front of all that the app does for the others. */
  readonly direct?: DirectRoutes;
  readonly routes?: (router: Router) => void;
}

/**
 * An Express app with the house's edges: request ids, security headers, a deadline, strict JSON of at most
 * 64 KiB, `/healthz`, `/readyz`, problem pages, and RFC 9457 problems for whatever goes wrong.
 */
export function createHttpApp(options: HttpAppOptions): Express {
  const table: ProblemTable = { ...options.problems, ...builtInProblems };
  const app = express();
  const state: AppState = { stopping: false, streams: new EventStreams(options.eventStreams) };
  app.locals.hailway = state;
  if (options.direct) state.takeDirect = serveDirect(options.direct, { ...options, table, state });
  app.set('query parser', 'simple');
  app.set('etag', false);
  app.use(helmet());
  app.use(requestContext(options, table));
  app.use(healthRoutes(options.ready));
  if (options.metrics) {
    app.get('/metrics', ...(options.metricsFor ? [options.metricsFor] : []), showMetrics(options.metrics));
  }
  app.use(problemPages(table));
  if (options.rawRoutes) {
    const raw = express.Router();
    options.rawRoutes(raw);
    app.use(raw);
  }
  app.use(onlyJson, express.json({ limit: bodyLimitBytes, strict: true, type: 'application/json' }));
  if (options.routes) {
    const router = express.Router();
    options.routes(router);
    app.use(router);
  }
  app.use(() => {
    throw new CodedError('not_found', 'there is nothing at this address for this method');
  });
  app.use(answerErrors(options.log, table));
  return app;
}

/** Gives the request its id and deadline, and logs and counts how it ended. */
function requestContext(
  { log, metrics, deadlineMs = 10_000 }: HttpAppOptions,
  table: ProblemTable,
): RequestHandler {
  return (req, res, next) => {
    const id = requestIdOf(req.get('x-request-id'));
    const startedAt = performance.now();
    const trace = traceRequest(req, id);
    const context = new OpenContext(id, deadlineMs, (error) => {
      sendProblem(res, toProblem(error, table, id));
    });
    req.context = context;
    res.set('X-Request-Id', id);
    if (appStateOf(req).stopping) res.set('Connection', 'close');
    res.on('close', () => {
      context.liftDeadline();
      if (!res.writableFinished) context.abort(new Error('the client has gone'));
      const ms = Math.round(performance.now() - startedAt);
      const { method } = req;
      const [route, path, status] = [routeOf(req), pathOf(req), res.statusCode];
      metrics?.served({ method, route, status, seconds: ms / 1_000 });
      trace.run(() => log[status >= 500 ? 'warn' : 'debug']({ method, path, status, ms }, 'request'));
      trace.end({ route, path, status });
    });
    trace.run(next);
  };
}

/** Makes its AbortController when somebody asks for the signal: an event stream holds none. */
class OpenContext implements RequestContext {
  #timer: NodeJS.Timeout | undefined;
  #abort: AbortController | undefined;
  #reason: Error | undefined;

  constructor(
    readonly id: string,
    deadlineMs: number,
    answer: (error: CodedError) => void,
  ) {
    this.#timer = setTimeout(() => {
      const error = new CodedError('deadline_exceeded', `not done within ${deadlineMs} ms`);
      answer(error);
      this.abort(error);
    }, deadlineMs);
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#reason) this.#abort.abort(this.#reason);
    return this.#abort.signal;
  }

  liftDeadline(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#abort?.abort(this.#reason);
  }
}

/** The route that took the request, in OpenAPI's form. */
const routeOf = (req: Request): string | undefined => {
  const path: unknown = (req.route as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? (req.baseUrl + path).replace(/:(\w+)/g, '{$1}') : undefined;
};

/** The path for a log: a part as long as a token may be one, and whoever reads it could use it. */
const pathOf = (req: Request): string => req.path.replace(/[^/]{64,}/g, '…');

/** A body in another form is refused, not ignored. */
const onlyJson: RequestHandler = (req, _res, next) => {
  const hasBody =
    req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
  if (hasBody && !req.is('application/json')) {
    throw new CodedError('unsupported_media_type', 'the body must be application/json');
  }
  next();
};

/** The one place where errors become answers. */
function answerErrors(log: Logger, table: ProblemTable): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (error: unknown, req, res, _next) => {
    const requestId = req.context?.id ?? requestIdOf(undefined);
    const answer = toProblem(error, table, requestId);
    if (answer.code === 'internal') log.error({ err: error, requestId, path: pathOf(req) }, 'request failed');
    else if (answer.document.status >= 500)
      log.warn({ err: error, requestId, path: pathOf(req) }, 'request failed');
    sendProblem(res, answer);
  };
}
