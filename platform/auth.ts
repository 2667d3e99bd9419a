import { readFile, stat } from 'node:fs/promises';
import type { Request, RequestHandler } from 'express';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  errors,
  jwtVerify,
  type JWTVerifyGetKey,
} from 'jose';
import { CodedError, DependencyUnavailable } from './errors';
import { bearerOf, checkRole } from './http/bearer';
import type { Caller } from './http/context';
import { asCaller } from './telemetry';

export type { Caller };

/**
 * Checks a token and says who calls.
 * @throws CodedError `unauthenticated`; `forbidden` where the subject is no opaque name; DependencyUnavailable when the keys cannot be had.
 */
export type Verifier = (token: string) => Promise<Caller>;

export interface VerifierOptions {
  /** Path or http URL of the JSON Web Key Set; a path is read again when the file changes. */
  readonly jwks: string;
  readonly issuer: string;
  readonly audience: string;
}

/** A subject goes into workflows' ids, facts and logs: an opaque name, and nobody's address. */
const opaqueName = /^[A-Za-z0-9_-]{1,64}$/;

/** Only signatures by key pairs: a shared secret would make every verifier an issuer. */
const algorithms = ['EdDSA', 'ES256', 'RS256'];

export function createVerifier({ jwks, issuer, audience }: VerifierOptions): Verifier {
  const keys = /^https?:/.test(jwks) ? createRemoteJWKSet(new URL(jwks)) : fileKeys(jwks);
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms,
        clockTolerance: 5,
        requiredClaims: ['sub', 'exp', 'role'],
      });
      if (typeof payload.sub !== 'string' || payload.sub === '' || typeof payload.role !== 'string') {
        throw new CodedError('unauthenticated', 'the token names no subject or role');
      }
      if (!opaqueName.test(payload.sub)) {
        const wanted = 'letters, digits, _ and -, at most 64 of them';
        throw new CodedError('forbidden', `the token's subject is not one that is taken here: ${wanted}`);
      }
      return { sub: payload.sub, role: payload.role };
    } catch (error) {
      if (error instanceof CodedError) throw error;
      if (error instanceof errors.JWTExpired) {
        throw new CodedError('unauthenticated', 'the token has expired', {}, { cause: error });
      }
      if (isAboutKeys(error)) throw new DependencyUnavailable('the key set', { cause: error });
      throw new CodedError('unauthenticated', 'the token is not valid', {}, { cause: error });
    }
  };
}

/** A token that was good is looked at again after this, in milliseconds: so long a key that was withdrawn still counts. */
const REMEMBERED_MS = 60_000;
const MOST_REMEMBERED = 20_000;

/** The same without a signature to check for a token that was good a minute ago, until it expires. */
export function rememberCallers(
  verify: Verifier,
  now: () => number = Date.now,
): (token: string) => Promise<Caller> | Caller {
  const known = new Map<string, { readonly caller: Caller; readonly untilMs: number }>();
  return (token) => {
    const found = known.get(token);
    if (found !== undefined && now() < found.untilMs) return found.caller;
    return verify(token).then((caller) => {
      const expiresMs = (decodeJwt(token).exp ?? 0) * 1_000;
      known.delete(token);
      // The first is the one that was looked at longest ago.
      if (known.size >= MOST_REMEMBERED) known.delete(known.keys().next().value!);
      known.set(token, { caller, untilMs: Math.min(expiresMs, now() + REMEMBERED_MS) });
      return caller;
    });
  };
}

/** Not the token's fault: the key set could not be fetched or read. */
function isAboutKeys(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return true;
  return (
    error instanceof errors.JWKSTimeout ||
    error instanceof errors.JWKSInvalid ||
    error.code === 'ERR_JOSE_GENERIC'
  );
}

function fileKeys(path: string): JWTVerifyGetKey {
  let current: { mtimeMs: number; keys: JWTVerifyGetKey } | undefined;
  const load = async (): Promise<JWTVerifyGetKey> => {
    const { mtimeMs } = await stat(path);
    if (current?.mtimeMs !== mtimeMs) {
      const set = JSON.parse(await readFile(path, 'utf8')) as Parameters<typeof createLocalJWKSet>[0];
      current = { mtimeMs, keys: createLocalJWKSet(set) };
    }
    return current.keys;
  };
  return async (header, token) => {
    const known = current?.keys ?? (await load());
    try {
      return await known(header, token);
    } catch (error) {
      // The issuer may have new keys; an unknown one costs a stat, not a read.
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      return (await load())(header, token);
    }
  };
}

export type RequireRole = (...roles: readonly [string, ...string[]]) => RequestHandler;

/** Middleware that lets only callers with one of the roles through, and sets `req.caller`. */
export function createRequireRole(verify: Verifier): RequireRole {
  return (...roles) =>
    async (req, _res, next) => {
      const caller = await verify(bearerOf(req.get('authorization')));
      checkRole(caller, roles);
      req.caller = caller;
      asCaller(`${caller.role}:${caller.sub}`, () => next());
    };
}

/** The caller of a route behind `requireRole`. */
export function callerOf(req: Request): Caller {
  if (req.caller === undefined) throw new CodedError('unauthenticated', 'there is no bearer token');
  return req.caller;
}
