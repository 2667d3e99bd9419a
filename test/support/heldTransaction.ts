import type { PoolClient } from 'pg';
import { withTransaction, type Pool } from '../../platform/postgres';
import { eventually } from './rideSaga';

type Outcome<T> = { readonly done: T } | { readonly refused: string };

/**
 * Two writers in this order: `first` has done its work and keeps its locks when `second` begins; `first` commits once
 * `second` waits for it, or is through without waiting. A refusal is told by its code.
 */
export async function inOrder<A, B>(
  pool: Pool,
  first: (pool: Pool) => Promise<A>,
  second: (pool: Pool) => Promise<B>,
): Promise<{ first: Outcome<A>; second: Outcome<B> }> {
  const held = holdCommit(pool);
  const firstDone = outcome(first(held.pool));
  await Promise.race([held.worked, firstDone]);
  let isThrough = false;
  const secondDone = outcome(second(pool)).finally(() => (isThrough = true));
  await eventually(async () => isThrough || (await somebodyWaits(pool)) || undefined);
  held.commit();
  return { first: await firstDone, second: await secondDone };
}

/** Whether a connection to this database waits for another's lock. */
async function somebodyWaits(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rowCount! > 0;
}

async function outcome<T>(work: Promise<T>): Promise<Outcome<T>> {
  try {
    return { done: await work };
  } catch (error) {
    // A DomainError has a code, the failure that an activity makes of it has it as its type.
    const { code, type } = error as { code?: string; type?: string };
    const refusal = code ?? type;
    if (refusal === undefined) throw error;
    return { refused: refusal };
  }
}

/** A pool whose one transaction does its work and then waits with its commit. */
function holdCommit(pool: Pool): { pool: Pool; worked: Promise<void>; commit: () => void } {
  let hasWorked!: () => void;
  let commit!: () => void;
  const worked = new Promise<void>((resolve) => (hasWorked = resolve));
  const mayCommit = new Promise<void>((resolve) => (commit = resolve));
  const client = (own: PoolClient): PoolClient =>
    instead(own, {
      query: async (...query: unknown[]) => {
        if (query[0] === 'commit') {
          hasWorked();
          await mayCommit;
        }
        return (own.query as (...args: unknown[]) => Promise<unknown>)(...query);
      },
    });
  const held: Pool = instead(pool, {
    connect: async () => client(await pool.connect()),
    // A statement alone is a transaction of its own.
    query: (...query: unknown[]) =>
      withTransaction(held, (tx) => (tx.query as (...args: unknown[]) => Promise<unknown>)(...query)),
  });
  return { pool: held, worked, commit };
}

function instead<T extends object>(own: T, methods: Record<string, unknown>): T {
  return new Proxy(own, {
    get(target, name) {
      if (typeof name === 'string' && name in methods) return methods[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
