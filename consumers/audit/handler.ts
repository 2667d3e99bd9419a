import type { Handle } from '../../platform/inbox';
import { appendFacts } from './store';

/**
 * Stores every fact, also of types and versions that nobody here knows, and also one that breaks its schema: an
 * audit that leaves out what is wrong is of no use to whoever looks for what went wrong.
 */
export const storeFacts: Handle = appendFacts;
