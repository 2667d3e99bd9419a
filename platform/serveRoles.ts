import type { Router } from 'express';
import { createRequireRole, createVerifier, type RequireRole } from './auth';
import { portVariable, type Config } from './config';
import { createHttpApp, listen, type HttpAppOptions, type Listening } from './http';

type Served = Parameters<typeof portVariable>[0];

/**
 * Serves a process's routes at its port, to callers with a token of the house: each route says which roles may.
 * @throws ConfigError as `listen`
 */
export function serveRoles(
  name: Served,
  options: Pick<HttpAppOptions, 'log' | 'metrics' | 'problems' | 'ready'> & {
    readonly config: Config;
    readonly routes: (router: Router, requireRole: RequireRole) => void;
  },
): Promise<Listening> {
  const { config, routes, ...app } = options;
  const requireRole = createRequireRole(
    createVerifier({ jwks: config.AUTH_JWKS, issuer: config.AUTH_ISSUER, audience: config.AUTH_AUDIENCE }),
  );
  const variable = portVariable(name);
  return listen(createHttpApp({ ...app, routes: (router) => routes(router, requireRole) }), {
    port: config[variable],
    portVariable: variable,
    host: config.HAILWAY_HOST,
  });
}
