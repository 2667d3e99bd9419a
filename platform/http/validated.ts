import type { Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { CodedError } from '../errors';
import { contextOf, type Caller } from './context';

/** Schemas of a request's parts. Objects are strict: an unknown field is an error (headers excepted). */
export interface RequestSchemas {
  readonly body?: z.ZodType;
  readonly query?: z.ZodType;
  readonly params?: z.ZodType;
  readonly headers?: z.ZodType;
}

type Output<S> = S extends z.ZodType ? z.output<S> : undefined;

export interface ValidRequest<S extends RequestSchemas> {
  readonly body: Output<S['body']>;
  readonly query: Output<S['query']>;
  readonly params: Output<S['params']>;
  readonly headers: Output<S['headers']>;
  /** Set on routes behind `requireRole`. */
  readonly caller: Caller | undefined;
  readonly requestId: string;
  /** Aborted at the request's deadline and when the client has gone. */
  readonly signal: AbortSignal;
  readonly req: Request;
  readonly res: Response;
}

/** What to answer; a handler that has answered on `res` itself (an event stream) returns nothing. */
export interface Reply {
  readonly status: number;
  /** Sent as JSON; without it the answer has no body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type ValidatedHandler<S extends RequestSchemas> = (
  request: ValidRequest<S>,
) => Promise<Reply | void> | Reply | void;

interface FieldError {
  readonly in: string;
  readonly pointer: string;
  readonly detail: string;
}

/** More would only help somebody who sends garbage. */
const maxFieldErrors = 20;

const noBody = z.strictObject({}).optional();
const strict = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodObject && schema.def.catchall === undefined ? schema.strict() : schema;

const pointer = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');

function fieldErrors(part: string, error: z.ZodError): FieldError[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          in: part,
          pointer: pointer([...issue.path, key]),
          detail: 'unknown field',
        }))
      : [{ in: part, pointer: pointer(issue.path), detail: issue.message }],
  );
}

/**
 * U+0000, and half of a surrogate pair, which JSON lets through (RFC 8259 §8.2) and no database takes: it would be
 * refused only once something has been done.
 */
const noText = /[\0\p{Surrogate}]/u;

function unstorable(part: string, value: unknown, path: readonly PropertyKey[] = []): FieldError[] {
  if (typeof value === 'string')
    return noText.test(value)
      ? [{ in: part, pointer: pointer(path), detail: 'U+0000 or half a character' }]
      : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => [
    ...unstorable(part, name, path),
    ...unstorable(part, field, [...path, name]),
  ]);
}

/**
 * A route's handler that sees only what its schemas let through, and answers by what it returns.
 * Without a `body` schema a body with fields is refused. Fails with `validation_failed`, listing the fields.
 */
export function validated<const S extends RequestSchemas>(
  schemas: S,
  handler: ValidatedHandler<S>,
): RequestHandler {
  const parts = {
    body: schemas.body ? strict(schemas.body) : noBody,
    query: schemas.query && strict(schemas.query),
    params: schemas.params && strict(schemas.params),
    headers: schemas.headers,
  };
  return async (req, res) => {
    const errors: FieldError[] = [];
    const parse = (part: keyof typeof parts, value: unknown): unknown => {
      const result = parts[part]?.safeParse(value);
      if (result === undefined) return undefined;
      errors.push(...(result.success ? unstorable(part, value) : fieldErrors(part, result.error)));
      return result.data;
    };
    const values = {
      params: parse('params', req.params),
      query: parse('query', req.query),
      headers: parse('headers', req.headers),
      body: parse('body', req.body),
    };
    if (errors.length > 0) {
      const wrong = errors.slice(0, maxFieldErrors);
      const first = wrong.map((e) => `${e.in}${e.pointer}: ${e.detail}`)[0];
      throw new CodedError('validation_failed', first ?? 'not valid', { errors: wrong });
    }
    const context = contextOf(req);
    const request = {
      ...values,
      caller: req.caller,
      requestId: context.id,
      // Asked for by few: it is made when it is.
      get signal() {
        return context.signal;
      },
      req,
      res,
    } as ValidRequest<S>;
    const reply = await handler(request);
    // Past its deadline the request was answered already.
    if (reply === undefined || res.headersSent) return;
    res.status(reply.status).set(reply.headers ?? {});
    if (reply.body === undefined) res.end();
    else res.json(reply.body);
  };
}
