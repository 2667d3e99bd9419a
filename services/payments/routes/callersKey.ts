import { createHash } from 'node:crypto';
import type { Caller } from '../../../platform/http';

/**
 * What goes on of the `Idempotency-Key` of a request, into histories and facts: a hash, since a caller may type anything
 * there. A key belongs to who made it.
 */
export const callersKey = ({ sub }: Pick<Caller, 'sub'>, key: string): string =>
  createHash('sha256').update(`${sub}:${key}`).digest('hex');
