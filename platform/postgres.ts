import { join } from 'node:path';
import { Client, Pool, types, type ClientBase, type PoolClient } from 'pg';
import type { Logger } from './log';
import { projectRoot } from './root';

export type { Pool };

/** A connection inside an open transaction: what writes take, so that nothing writes outside of one. */
export type Tx = PoolClient;

/** Anything that answers a query: a pool or a transaction. Enough for reads. */
export type Queryable = Pick<ClientBase, 'query'>;

export interface PoolOptions {
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Connections at most (10). */
  readonly max?: number;
  /** A statement is cancelled after this long (10 s); 0 for never. */
  readonly statementTimeoutMs?: number;
  /** Waiting for a lock ends after this long (5 s), below the statement's, so that the error says which. */
  readonly lockTimeoutMs?: number;
  /** Postgres' settings of each connection: `{ enable_sort: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Errors of idle connections (the server restarted) go here; the pool replaces such connections itself. */
  readonly log?: Pick<Logger, 'warn'>;
}

const oid = { int8: 20, timestamptz: 1184 };

/** bigint columns hold versions, counts and minor units: numbers, as long as a number holds them exactly. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit into a number`);
  return value;
}

/** ISO 8601 in UTC with milliseconds, as everywhere else; 'infinity' and the like stay as they are. */
function parseTimestamptz(text: string): string {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? text : time.toISOString();
}

/** How columns arrive in JavaScript, for every connection this project makes. */
const columnTypes = {
  getTypeParser(id: number, format?: 'text' | 'binary'): (text: string) => unknown {
    if (id === oid.int8) return parseInt8;
    if (id === oid.timestamptz) return parseTimestamptz;
    return types.getTypeParser(id, format) as (text: string) => unknown;
  },
};

/**
 * A pool of connections. bigint arrives as a number (an error beyond 2^53), timestamptz as an ISO 8601 string in
 * UTC, json and jsonb parsed, bytea as a Buffer; numeric, date, xid8 and pg_snapshot stay text. Cast sums of
 * bigint: `sum(amount_minor)::bigint`, they are numeric otherwise.
 * Close it with `pool.end()`.
 */
export function createPool(url: string, options: PoolOptions): Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 10_000;
  const pool = new Pool({
    connectionString: url,
    max: options.max ?? 10,
    application_name: options.applicationName,
    types: columnTypes,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 10_000,
    keepAlive: true,
    statement_timeout: statementTimeoutMs,
    lock_timeout: options.lockTimeoutMs ?? 5_000,
    idle_in_transaction_session_timeout: 30_000,
    ...(options.settings ? { options: settingsText(options.settings) } : {}),
    // The server's own timeout comes first; this one is for a server that is frozen or cut off.
    ...(statementTimeoutMs > 0 ? { query_timeout: statementTimeoutMs + 2_000 } : {}),
  });
  pool.on('error', (error) => options.log?.warn({ err: error }, 'idle database connection lost'));
  // Between the pool's own listener and that of whoever takes a connection there may be its end, and an error that nobody
  // listens to ends the process. Whoever took it learns of it at the next query.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

const settingsText = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');

type AfterCommit = (pool: Pool) => void;
const afterCommits = new WeakMap<Tx, Set<AfterCommit>>();

/** Has something done once the transaction is committed, if it is; however often it is asked for, once. */
export function afterCommit(tx: Tx, todo: AfterCommit): void {
  afterCommits.get(tx)?.add(todo);
}

/**
 * Runs `work` in one transaction (read committed unless told otherwise) and commits it; rolls back when `work`
 * throws, and throws the same error. A connection that broke is thrown away.
 * When the error is retriable the outcome of the commit may be unknown: what `work` does must be safe to repeat
 * (a step id, a compare-and-set, a claim).
 * @throws whatever `work` throws; Postgres's errors (see `isRetriable`).
 */
export async function withTransaction<T>(
  pool: Pool,
  work: (tx: Tx) => Promise<T>,
  options: { readonly isolation?: 'read committed' | 'repeatable read' | 'serializable' } = {},
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // Without a listener the loss of a checked-out connection would end the process.
  const onError = (error: Error): void => void (broken = error);
  client.on('error', onError);
  const todos = new Set<AfterCommit>();
  afterCommits.set(client, todos);
  try {
    await client.query(`begin isolation level ${options.isolation ?? 'read committed'}`);
    const result = await work(client);
    const end = await client.query('commit');
    // A swallowed error inside leaves an aborted transaction, whose COMMIT answers ROLLBACK without an error.
    if (end.command !== 'COMMIT') throw new Error('transaction was aborted: an error inside was swallowed');
    for (const todo of todos) todo(pool);
    return result;
  } catch (error) {
    if (!broken && !isConnectionError(error)) {
      await client.query('rollback').catch((rollbackError: Error) => (broken = rollbackError));
    } else broken ??= error as Error;
    throw error;
  } finally {
    client.off('error', onError);
    afterCommits.delete(client);
    client.release(broken);
  }
}

const retriableStates = new Set([
  '40001', // serialization failure
  '40P01', // deadlock
  '55P03', // lock timeout
  '57014', // statement timeout
  '25P03', // idle in transaction too long
  '25006', // read-only after a failover
]);
/** Classes: connection exception, insufficient resources (also disk full), operator intervention, system error. */
const retriableClasses = new Set(['08', '53', '57', '58']);
const networkCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_SOCKET', 'UND_ERR_CONNECT_TIMEOUT'],
]);
/** pg and pg-pool give these no code. */
const connectionMessages =
  /^(Connection terminated|Client has encountered a connection error|Query read timeout|timeout exceeded when trying to connect|timeout expired|Client was closed)/;

function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return networkCodes.has(code) || /^(08|57P)/.test(code) || connectionMessages.test(error.message);
}

/**
 * Whether the same thing may succeed later: conflicts between transactions, timeouts, a server that is away,
 * starting or full. An error may also say so itself (`retriable: true` or `false`), and its causes are asked.
 * Everything else (a constraint, a schema, a bug) will fail again.
 */
export function isRetriable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('retriable' in error && typeof error.retriable === 'boolean') return error.retriable;
  if (isConnectionError(error)) return true;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'dependency_unavailable') return true;
  if (/^[0-9A-Z]{5}$/.test(code) && (retriableStates.has(code) || retriableClasses.has(code.slice(0, 2))))
    return true;
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isRetriable);
  return error.cause !== undefined && isRetriable(error.cause);
}

/** Whether a unique constraint (of this name, if one is given) refused the row. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== '23505') return false;
  return constraint === undefined || ('constraint' in error && error.constraint === constraint);
}

/** A folder of SQL migrations and the name under which a database remembers which of them it has. */
export interface MigrationSet {
  readonly name: string;
  readonly dir: string;
}

/**
 * Names a folder of migrations (`NNNN_name.sql`, plain SQL), given from the repository's root so that it is found
 * from the sources and from dist/ alike: `migrationSet('rides', 'services/rides/migrations')`.
 */
export function migrationSet(name: string, dirFromRoot: string): MigrationSet {
  return { name, dir: join(projectRoot(), dirFromRoot) };
}

/** The tables of `outbox.ts` and `relay.ts`: in every database that owns facts. */
export const outboxMigrations = migrationSet('outbox', 'platform/migrations');
/** The tables of `inbox.ts`: in every database of a consumer. */
export const inboxMigrations = migrationSet('inbox', 'platform/migrations-inbox');

/**
 * Brings a database up to date, set after set; each set has its own table `migrations_<name>`. Safe to run twice
 * and by several processes at once (node-pg-migrate waits for an advisory lock); one set is one transaction.
 * @param schema where the tables go (public); made if it is not there
 * @returns the names of the migrations that were run now.
 */
export async function migrate(
  databaseUrl: string,
  sets: readonly MigrationSet[],
  { schema }: { readonly schema?: string } = {},
): Promise<string[]> {
  // Loaded here: only who migrates pays for it.
  const { runner } = await import('node-pg-migrate');
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const done: string[] = [];
  for (const { name, dir } of sets) {
    // The runner does not wait for the end of a connection of its own, nor listen to its errors, and such an error ends the
    // process: the database may be dropped, or its server stopped, as soon as this is done.
    const client = new Client({ connectionString: databaseUrl });
    client.on('error', () => {});
    await client.connect();
    try {
      const ran = await runner({
        dbClient: client,
        dir,
        migrationsTable: `migrations_${name}`,
        direction: 'up',
        checkOrder: true,
        advisoryLockMode: 'wait',
        logger: silent,
        ...(schema === undefined ? {} : { schema, createSchema: true }),
      });
      done.push(...ran.map((migration) => `${name}/${migration.name}`));
    } finally {
      await client.end();
    }
  }
  return done;
}
