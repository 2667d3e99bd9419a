import type { RequestHandler } from 'express';
import type { RequireRole } from '../../platform/auth';

/** Whoever calls is this one, in the first role that the route takes: tokens are tested elsewhere. */
export const callerIs =
  (sub: string): RequireRole =>
  (...roles): RequestHandler =>
  (req, _res, next) => {
    req.caller = { role: roles[0], sub };
    next();
  };
