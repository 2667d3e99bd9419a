import type { RequestHandler } from 'express';
import { problemPages } from '../../contracts/api/problems';
import type { RequireRole } from '../../platform/auth';
import { createHttpApp, createMount, listen, type MountOperation } from '../../platform/http';
import { quiet } from './backbone';

export interface RouteCall {
  readonly body?: object;
  /** The Idempotency-Key. */
  readonly key?: string;
  /** Who calls, and in which role: the usual caller in the first role that may, unless told. */
  readonly as?: string;
  readonly role?: string;
}

export interface RouteAnswer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Routes that listen, without the rest of their process. */
export interface ServedRoutes {
  readonly url: string;
  call(method: string, path: string, call?: RouteCall): Promise<RouteAnswer>;
  close(): Promise<void>;
}

/** Serves routes to whom the test names, `usually` the same: tokens are tested elsewhere. */
export async function serveRoutes(
  usually: string,
  routes: (mount: MountOperation) => void,
): Promise<ServedRoutes> {
  const asNamed: RequireRole =
    (...roles): RequestHandler =>
    (req, _res, next) => {
      req.caller = { role: req.get('x-role') ?? roles[0], sub: req.get('x-caller') ?? usually };
      next();
    };
  const app = createHttpApp({
    log: quiet,
    ready: {},
    problems: problemPages,
    routes: (router) => routes(createMount(router, asNamed)),
  });
  const server = await listen(app, { port: 0, portVariable: '' });
  return {
    url: server.url,
    async call(method, path, { body, key, as, role } = {}) {
      const response = await fetch(server.url + path, {
        method,
        headers: {
          ...(body && { 'content-type': 'application/json' }),
          ...(key && { 'idempotency-key': key }),
          ...(as && { 'x-caller': as }),
          ...(role && { 'x-role': role }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as RouteAnswer['body'] };
    },
    close: () => server.close(),
  };
}
