import type { RequestHandler, Router } from 'express';
import { callerOf, type RequireRole } from '../auth';
import { codeOf, DependencyUnavailable } from '../errors';
import { isRetriable } from '../postgres';
import type { Caller } from './context';
import { validated, type Reply, type RequestSchemas, type ValidRequest } from './validated';

/** What is known of an operation before it is handled: where it is, who may call it, what it takes. */
export interface OperationShape {
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  /** In OpenAPI's form: `/v1/rides/{rideId}`. */
  readonly path: string;
  readonly roles: readonly [string, ...string[]];
  readonly request: RequestSchemas;
}

export type CalledRequest<S extends RequestSchemas> = Omit<ValidRequest<S>, 'caller'> & {
  readonly caller: Caller;
};

export type OperationHandler<O extends OperationShape> = (
  request: CalledRequest<O['request']>,
) => Promise<Reply | void> | Reply | void;

export type MountOperation = <const O extends OperationShape>(
  operation: O,
  handler: OperationHandler<O>,
) => void;

/**
 * Mounts operations on a router: role first, then the schemas, then the handler. A database that is away is answered
 * as such (503, Retry-After), as every handler needs it.
 */
export function createMount(router: Router, requireRole: RequireRole): MountOperation {
  return (operation, handler) => {
    const handle = validated(operation.request, async (request) => {
      try {
        callerOf(request.req);
        return await handler(request as Parameters<typeof handler>[0]);
      } catch (error) {
        if (isRetriable(error) && codeOf(error) !== 'dependency_unavailable')
          throw new DependencyUnavailable('the database', { cause: error });
        throw error;
      }
    });
    const handlers: RequestHandler[] = [requireRole(...operation.roles), handle];
    router[operation.method](operation.path.replace(/\{(\w+)\}/g, ':$1'), ...handlers);
  };
}
