import type { Response } from 'express';
import { codeOf } from '../errors';

/** What an error code means to a client; `description` is the text of its page. */
export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  readonly description: string;
  /** Sent as Retry-After when the error itself says nothing. */
  readonly retryAfterSeconds?: number;
}

/** Error code → problem. A service passes its own; the built-in ones are always there. */
export type ProblemTable = Readonly<Record<string, ProblemKind>>;

/** An RFC 9457 problem document. */
export interface ProblemDocument {
  readonly type: string;
  readonly status: number;
  readonly title: string;
  readonly detail?: string;
  readonly [extension: string]: unknown;
}

export const builtInProblems = {
  validation_failed: {
    status: 400,
    title: 'The request is not valid',
    description:
      'A field is missing, unknown, of the wrong type or out of range. `errors` lists each one: where it is ' +
      '(`in`), a JSON pointer to it, and what is wrong. Nothing was done.',
  },
  malformed_json: {
    status: 400,
    title: 'The body is not JSON',
    description: 'The body could not be read as a JSON object or array. Nothing was done.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is too large',
    description:
      'A body may have 64 KiB at most where the operation says nothing else. Nothing was done; send less at a time.',
  },
  body_incomplete: {
    status: 408,
    title: 'The body did not come in time',
    description:
      'The body ended early, or was too slow. Nothing was done. Send it again, in smaller parts where the way is slow.',
    retryAfterSeconds: 1,
  },
  too_much_at_once: {
    status: 429,
    title: 'Too much is under way',
    description:
      'The body was not read to its end, nothing was done. Send it again after the seconds in Retry-After.',
    retryAfterSeconds: 1,
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body must be application/json',
    description:
      'Send JSON in UTF-8 with the header `content-type: application/json`, or another form that the operation names.',
  },
  unauthenticated: {
    status: 401,
    title: 'A valid token is needed',
    description: 'Send `authorization: Bearer <token>` with a token that has not expired.',
  },
  forbidden: {
    status: 403,
    title: "The token's role may not do this",
    description:
      'The token is valid, but this operation is for other roles, or its subject is not one that is taken here: ' +
      '`detail` says which.',
  },
  not_found: {
    status: 404,
    title: 'There is no such thing',
    description:
      "There is nothing at this address for this method, or it is somebody else's: the two are not told apart.",
  },
  dependency_unavailable: {
    status: 503,
    title: 'A part that this needs is not available',
    description: 'Ask again after the seconds in Retry-After. With the same Idempotency-Key it is safe.',
    retryAfterSeconds: 1,
  },
  deadline_exceeded: {
    status: 503,
    title: 'Not done within the deadline',
    description:
      'It may have been done or not. Ask again after the seconds in Retry-After, with the same Idempotency-Key.',
    retryAfterSeconds: 1,
  },
  internal: {
    status: 500,
    title: 'Something is broken here',
    description: 'The fault is ours and was logged under the request id in `requestId`.',
  },
} as const satisfies ProblemTable;

export const problemMediaType = 'application/problem+json';

/** The stable `type` of a code: a URI reference that serves a page. */
export const problemType = (code: string): string => `/problems/${code}`;

/** Builds an RFC 9457 document; extensions cannot replace the standard members. */
export function problem(
  type: string,
  status: number,
  title: string,
  detail?: string,
  extensions: Readonly<Record<string, unknown>> = {},
): ProblemDocument {
  return { ...extensions, type, status, title, ...(detail === undefined ? {} : { detail }) };
}

interface ProblemAnswer {
  readonly code: string;
  readonly document: ProblemDocument;
  readonly retryAfterSeconds?: number;
}

const bodyParserCodes: Readonly<Record<string, string>> = {
  'entity.parse.failed': 'malformed_json',
  'entity.verify.failed': 'malformed_json',
  'request.size.invalid': 'malformed_json',
  'entity.too.large': 'body_too_large',
  'encoding.unsupported': 'unsupported_media_type',
  'charset.unsupported': 'unsupported_media_type',
};

/**
 * The code under which an error is answered: its own if the table has it, that of the body parser's error, or internal.
 */
function knownCode(error: unknown, table: ProblemTable): string {
  const own = codeOf(error);
  if (own !== undefined && Object.hasOwn(table, own)) return own;
  if (typeof error === 'object' && error !== null) {
    if ('type' in error && typeof error.type === 'string' && Object.hasOwn(bodyParserCodes, error.type)) {
      return bodyParserCodes[error.type] ?? 'internal';
    }
    // Express: a path that cannot be decoded.
    if (error instanceof URIError) return 'not_found';
    // A body that ended early or cannot be inflated.
    if ('status' in error && error.status === 400) return 'malformed_json';
  }
  return 'internal';
}

/**
 * Maps any error to its problem. The message and details of a coded error are meant for clients; of anything
 * else nothing is told.
 */
export function toProblem(error: unknown, table: ProblemTable, requestId: string): ProblemAnswer {
  const code = knownCode(error, table);
  const kind: ProblemKind = table[code] ?? builtInProblems.internal;
  const coded = codeOf(error) === code && code !== 'internal' && error instanceof Error;
  const details =
    coded && 'details' in error && typeof error.details === 'object' && error.details !== null
      ? (error.details as Record<string, unknown>)
      : {};
  const { retryAfterSeconds, ...extensions } = details;
  const retryAfter = typeof retryAfterSeconds === 'number' ? retryAfterSeconds : kind.retryAfterSeconds;
  return {
    code,
    document: problem(problemType(code), kind.status, kind.title, coded ? error.message : undefined, {
      ...extensions,
      code,
      requestId,
    }),
    ...(retryAfter === undefined ? {} : { retryAfterSeconds: Math.max(1, Math.ceil(retryAfter)) }),
  };
}

/** Sends a problem; what was already sent stays as it is. */
export function sendProblem(res: Response, answer: ProblemAnswer): void {
  if (res.headersSent) return;
  if (answer.retryAfterSeconds !== undefined) res.set('Retry-After', String(answer.retryAfterSeconds));
  if (answer.document.status === 401) res.set('WWW-Authenticate', 'Bearer');
  res.status(answer.document.status).type(problemMediaType).send(JSON.stringify(answer.document));
}
