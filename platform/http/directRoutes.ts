import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../log';
import type { Metrics } from '../metrics';
import { isRetriable } from '../postgres';
import { codeOf, CodedError, DependencyUnavailable } from '../errors';
import { bearerOf, checkRole } from './bearer';
import { BodyReader } from './boundedBody';
import type { AppState, Caller } from './context';
import { problemMediaType, toProblem, type ProblemTable } from './problems';
import { requestIdOf } from './requestId';
import type { Reply } from './validated';

/** A route for many requests a second, which pays for nothing that it does not use. */
export interface DirectRoute {
  readonly method: 'POST';
  /** Without parameters. */
  readonly path: string;
  readonly roles: readonly string[];
  /** What its bodies may be. */
  readonly mediaTypes: readonly string[];
  readonly limitBytes: number;
  /** Throws what would be answered whatever the body says: the body is not read then. */
  readonly beforeBody: () => void;
  readonly handle: (request: DirectRequest) => Promise<Reply> | Reply;
}

export interface DirectRequest {
  readonly caller: Caller;
  /** Of `mediaTypes`. */
  readonly mediaType: string;
  /** What stands behind the question mark. */
  readonly query: string;
  readonly body: Buffer;
}

export interface DirectRoutes {
  readonly routes: readonly DirectRoute[];
  /** Says who calls: best one that remembers (`rememberCallers`). */
  readonly verify: (token: string) => Promise<Caller> | Caller;
  /** Of all bodies in hand. */
  readonly budgetBytes: number;
}

/**
 * Serves routes right on node:http, in front of the app: a token, a bounded body, an answer. Of what the app does for
 * each request they have its id, problems and metrics; not security headers (nothing here is shown by a browser), traces
 * and a deadline (the body has one, and `handle` waits for little).
 */
export function serveDirect(
  { routes, verify, budgetBytes }: DirectRoutes,
  { log, metrics, table, state }: { log: Logger; metrics?: Metrics; table: ProblemTable; state: AppState },
): NonNullable<AppState['takeDirect']> {
  const byPath = new Map(routes.map((route) => [route.path, route]));
  const bodies = new BodyReader(budgetBytes);

  async function answer(route: DirectRoute, req: IncomingMessage, res: ServerResponse, query: string) {
    const startedAt = performance.now();
    const requestId = requestIdOf(req.headers['x-request-id']);
    let reply: Reply;
    try {
      const verified = verify(bearerOf(req.headers.authorization));
      const caller = verified instanceof Promise ? await verified : verified;
      checkRole(caller, route.roles);
      const mediaType = mediaTypeOf(req, route);
      route.beforeBody();
      const handle = (body: Buffer) => route.handle({ caller, mediaType, query, body });
      reply = await bodies.read(req, route.limitBytes, handle);
    } catch (error) {
      reply = refusal(error, requestId, route.path);
    }
    if (!res.destroyed) send(res, reply, requestId, state.stopping);
    const seconds = (performance.now() - startedAt) / 1_000;
    metrics?.served({ method: route.method, route: route.path, status: reply.status, seconds });
  }

  function refusal(thrown: unknown, requestId: string, path: string): Reply {
    const isAway = isRetriable(thrown) && codeOf(thrown) !== 'dependency_unavailable';
    const error = isAway ? new DependencyUnavailable('the database', { cause: thrown }) : thrown;
    const { code, document, retryAfterSeconds } = toProblem(error, table, requestId);
    if (document.status >= 500)
      log[code === 'internal' ? 'error' : 'warn']({ err: error, requestId, path }, 'request failed');
    return {
      status: document.status,
      body: document,
      headers: {
        'content-type': `${problemMediaType}; charset=utf-8`,
        ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
        // What else comes of such a body is of no use.
        ...(document.status === 408 ? { connection: 'close' } : {}),
        ...(document.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      },
    };
  }

  return (req, res) => {
    const url = req.url ?? '';
    const mark = url.indexOf('?');
    const path = mark < 0 ? url : url.slice(0, mark);
    const route = byPath.get(path) ?? byPath.get(asTheAppHasIt(path));
    if (route === undefined || route.method !== req.method) return false;
    void answer(route, req, res, mark < 0 ? '' : url.slice(mark + 1));
    return true;
  };
}

/** The app's routes are found in any case, and with a slash at their end. */
const asTheAppHasIt = (path: string): string => path.toLowerCase().replace(/\/$/, '');

/** A body in another form is refused, not guessed at. */
function mediaTypeOf({ headers }: IncomingMessage, { mediaTypes }: DirectRoute): string {
  const given = headers['content-type'] ?? '';
  const name = given.split(';', 1)[0]!.trim().toLowerCase();
  const isPlain = headers['content-encoding'] === undefined || headers['content-encoding'] === 'identity';
  if (!mediaTypes.includes(name) || !isPlain)
    throw new CodedError('unsupported_media_type', `the body must be ${mediaTypes.join(' or ')}, and plain`);
  return name;
}

function send(res: ServerResponse, { status, body, headers }: Reply, requestId: string, last: boolean): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'x-request-id': requestId,
    ...(last && { connection: 'close' }),
    ...headers,
  });
  res.end(text);
}
