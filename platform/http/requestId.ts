import { randomUUID } from 'node:crypto';

const pattern = /^[\w.:-]{1,128}$/;

/** A request's id: its caller's, or a new one where that has none of a form that we take. */
export const requestIdOf = (given: string | string[] | undefined): string =>
  typeof given === 'string' && pattern.test(given) ? given : randomUUID();
