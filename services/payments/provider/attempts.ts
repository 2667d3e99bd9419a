import { v7 as uuidv7, validate as isUuid } from 'uuid';
import type { Logger } from '../../../platform/log';
import type { Queryable } from '../../../platform/postgres';
import { wait } from '../../../platform/wait';

/** One request to the provider. */
export interface Attempt {
  readonly attemptId: string;
  /** Whose payment it is for, where the key says so. */
  readonly rideId: string | null;
  /** Method and path: `POST /v1/payment_intents/pi_…/confirm`. */
  readonly request: string;
  readonly idempotencyKey: string | null;
  /** ISO 8601 in UTC. */
  readonly at: string;
  /** What it is about: of the path, or of the answer. */
  objectId: string | null;
  /** Null while there is no answer, as the three below. */
  ms: number | null;
  /** The object's status, or the error's code. */
  outcome: string | null;
  httpStatus: number | null;
  requestId: string | null;
}

export interface AttemptLog {
  /** Takes an attempt, and again when its answer is there; never waits. */
  note(attempt: Attempt): void;
  /** Writes what was noted until `signal`, and then what is left. */
  run(signal: AbortSignal): Promise<void>;
}

export interface AttemptLogOptions {
  readonly pool: Queryable;
  readonly log: Pick<Logger, 'warn'>;
  /** How long an attempt waits for others to be written with, in milliseconds. */
  readonly flushEveryMs?: number;
  /** Attempts that may wait for the database: beyond, the newest are not written. */
  readonly capacity?: number;
}

/**
 * Keeps what the provider was asked, in batches beside the requests: no request waits for it, and no answer. What a
 * killed process had not written is missing; operators read it, nothing is decided by it.
 */
export function createAttemptLog(options: AttemptLogOptions): AttemptLog {
  const { pool, log, flushEveryMs = 100, capacity = 5_000 } = options;
  let waiting = new Map<string, Attempt>();

  async function flush(): Promise<void> {
    if (waiting.size === 0) return;
    const attempts = [...waiting.values()];
    waiting = new Map();
    try {
      await write(pool, attempts);
    } catch (error) {
      log.warn({ err: error, attempts: attempts.length }, 'attempts at the provider not written');
    }
  }

  return {
    note(attempt) {
      if (waiting.size < capacity) waiting.set(attempt.attemptId, attempt);
    },
    async run(signal) {
      while (!signal.aborted) {
        await wait(flushEveryMs, signal);
        await flush();
      }
      await flush();
    },
  };
}

async function write(db: Queryable, attempts: readonly Attempt[]): Promise<void> {
  await db.query({
    name: 'provider-attempts-write',
    text: `insert into provider_attempts
             (attempt_id, ride_id, object_id, request, idempotency_key, at, ms, outcome, http_status, request_id)
           select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
                                $7::integer[], $8::text[], $9::integer[], $10::text[])
           on conflict (attempt_id) do update
             set object_id = excluded.object_id, ms = excluded.ms, outcome = excluded.outcome,
                 http_status = excluded.http_status, request_id = excluded.request_id`,
    values: [
      attempts.map(({ attemptId }) => attemptId),
      attempts.map(({ rideId }) => rideId),
      attempts.map(({ objectId }) => objectId),
      attempts.map(({ request }) => request),
      attempts.map(({ idempotencyKey }) => idempotencyKey),
      attempts.map(({ at }) => at),
      attempts.map(({ ms }) => ms),
      attempts.map(({ outcome }) => outcome),
      attempts.map(({ httpStatus }) => httpStatus),
      attempts.map(({ requestId }) => requestId),
    ],
  });
}

/** The attempt that a request to the provider is, before its answer. */
export function attemptOf(method: string, path: string, idempotencyKey: string | null): Attempt {
  const owner = idempotencyKey?.split('/')[0];
  return {
    attemptId: uuidv7(),
    rideId: isUuid(owner) ? (owner as string) : null,
    request: `${method} ${withoutCard(path)}`,
    idempotencyKey,
    at: new Date().toISOString(),
    objectId: /\b(?:pi|re|ch|du|dp|tr|seti|cus)_\w+/.exec(path)?.[0] ?? riderOf(idempotencyKey),
    ms: null,
    outcome: null,
    httpStatus: null,
    requestId: null,
  };
}

/** Whose customer is made, who has no id yet: `rider/<key>`. */
const riderOf = (idempotencyKey: string | null): string | null =>
  /^rider\/\w+/.exec(idempotencyKey ?? '')?.[0] ?? null;

/** A card's token stays where it must be. */
const withoutCard = (path: string): string => path.replace(/(\/payment_methods)\/\w+/, '$1/:id');
