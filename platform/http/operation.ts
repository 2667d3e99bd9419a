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
  /** Nobody named is everybody, without a token. */
  readonly roles: readonly string[];
  readonly request: RequestSchemas;
}

export type CalledRequest<
  S extends RequestSchemas,
  Roles extends readonly string[] = readonly [string],
> = Omit<ValidRequest<S>, 'caller'> & {
  readonly caller: Roles extends readonly [] ? undefined : Caller;
};

export type OperationHandler<O extends OperationShape> = (
  request: CalledRequest<O['request'], O['roles']>,
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
    const [role, ...others] = operation.roles;
    const handle = validated(operation.request, async (request) => {
      try {
        if (role !== undefined) callerOf(request.req);
        return await handler(request as Parameters<typeof handler>[0]);
      } catch (error) {
        if (isRetriable(error) && codeOf(error) !== 'dependency_unavailable')
          throw new DependencyUnavailable('the database', { cause: error });
        throw error;
      }
    });
    const handlers: RequestHandler[] = role === undefined ? [handle] : [requireRole(role, ...others), handle];
    router[operation.method](operation.path.replace(/\{(\w+)\}/g, ':$1'), ...handlers);
  };
}
