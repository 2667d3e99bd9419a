import { CodedError } from '../errors';
import type { Caller } from './context';

/**
 * The token of an `authorization` header.
 * @throws CodedError `unauthenticated` where there is none
 */
export function bearerOf(header: string | undefined): string {
  const token = /^Bearer +([\w.~+/=-]+)$/i.exec(header ?? '')?.[1];
  if (token === undefined) throw new CodedError('unauthenticated', 'there is no bearer token');
  return token;
}

/** @throws CodedError `forbidden` for a caller with none of the roles */
export function checkRole({ role }: Caller, roles: readonly string[]): void {
  if (!roles.includes(role))
    throw new CodedError('forbidden', `this is for ${roles.join(', ')}, not for ${role}`);
}
