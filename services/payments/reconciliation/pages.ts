import { openDisputeStatuses, type Dispute } from '../../../domain/dispute';
import type { LedgerEntry } from '../../../domain/ledger';
import type { Payment } from '../../../domain/payment';
import type { Payout } from '../../../domain/payout';
import { withTransaction, type Pool, type Queryable, type Tx } from '../../../platform/postgres';
import { openPayments } from '../books/paymentStore';
import type { OpenDrift } from './openDrifts';

/** Aggregates of the payments database that are compared with what else is said of them. */
export const families = ['payment', 'dispute', 'payout'] as const;
export type Family = (typeof families)[number];

export interface Rows {
  readonly payment: Payment;
  readonly dispute: Dispute;
  readonly payout: Payout;
}

/** Ids of aggregates that are looked at together. */
export type Page = Readonly<Record<Family, readonly string[]>>;

/** A committed step of an aggregate. */
export interface RecordedStep {
  readonly stepId: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly fact: {
    readonly type: string;
    readonly at: string;
    readonly data: Readonly<Record<string, unknown>>;
  };
  /** Milliseconds since it was committed, by the database's clock. */
  readonly ageMs: number;
}

const PAGE = 100;
const tables = {
  payment: { table: 'payments', id: 'payment_id', type: 'uuid' },
  dispute: { table: 'disputes', id: 'dispute_id', type: 'text' },
  payout: { table: 'payouts', id: 'payout_id', type: 'uuid' },
} as const;

const open = {
  payment: openPayments,
  dispute: `status in ('${openDisputeStatuses.join(`', '`)}')`,
  payout: `status = 'started'`,
} as const;

/** A look at several tables of which none has moved on meanwhile; it writes nothing. */
export const looking = <T>(pool: Pool, look: (tx: Tx) => Promise<T>): Promise<T> =>
  withTransaction(
    pool,
    async (tx) => {
      await tx.query('set transaction read only');
      return look(tx);
    },
    { isolation: 'repeatable read' },
  );

/** Everything that is still open, in order of its id. */
export async function* openPages(db: Queryable, family: Family): AsyncGenerator<string[]> {
  const { table, id, type } = tables[family];
  for (let after: string | null = null; ;) {
    const { rows }: { rows: { id: string }[] } = await db.query(
      `select ${id}::text as id from ${table}
       where ${open[family]} and ($1::${type} is null or ${id} > $1) order by ${id} limit ${PAGE}`,
      [after],
    );
    if (rows.length > 0) yield rows.map((row) => row.id);
    if (rows.length < PAGE) return;
    after = rows.at(-1)!.id;
  }
}

/**
 * Everything that has changed since, each aggregate once, by its last step. In the order of the numbers of transactions: the
 * column of the result is a text, in whose order 10 comes before 9.
 */
async function* changedPages(db: Queryable, since: string): AsyncGenerator<Page> {
  let after = { xid: await xidBefore(db, since), stepId: '' };
  for (;;) {
    const { rows } = await db.query<{ xid: string; stepId: string; aggregateId: string; family: Family }>(
      `select xid::text, step_id as "stepId", aggregate_id as "aggregateId", split_part(fact_type, '.', 1) as family
       from steps where (xid, step_id) > ($1::xid8, $2) and split_part(fact_type, '.', 1) = any ($3)
         and not exists (select from steps later
                         where later.aggregate_id = steps.aggregate_id and later.version > steps.version)
       order by steps.xid, step_id limit ${PAGE}`,
      [after.xid, after.stepId, families],
    );
    const of = (family: Family) => rows.filter((row) => row.family === family).map((row) => row.aggregateId);
    if (rows.length > 0) yield { payment: of('payment'), dispute: of('dispute'), payout: of('payout') };
    if (rows.length < PAGE) return;
    after = rows.at(-1)!;
  }
}

/** Transactions have about the order of their times; the one of a step from before is far enough back. */
export async function xidBefore(db: Queryable, since: string): Promise<string> {
  const { rows } = await db.query<{ xid: string }>(
    `select xid::text from steps where xid is not null and recorded_at < $1::timestamptz - interval '1 minute'
     order by steps.xid desc limit 1`,
    [since],
  );
  return rows[0]?.xid ?? '0';
}

/** What a check looks at. */
export interface Scope {
  /** What has changed since then; what is open is looked at however old. ISO 8601 in UTC. */
  readonly since: string;
  /** Whether the log is read on from where the last run has ended. */
  readonly resumes: boolean;
  /** What this check has found before, and nobody has seen the end of. */
  readonly again: readonly OpenDrift[];
}

/** Aggregates of which there was a drift, all that are open, and all that have changed since. Some may come twice. */
export async function* pagesOf(db: Queryable, { since, again }: Scope): AsyncGenerator<Page> {
  const none: Page = { payment: [], dispute: [], payout: [] };
  const named = (name: string) => again.flatMap(({ drift: { ids } }) => ids[name] ?? []);
  yield { payment: named('rideId'), dispute: named('disputeId'), payout: named('payoutId') };
  for (const family of families)
    for await (const ids of openPages(db, family)) yield { ...none, [family]: ids };
  yield* changedPages(db, since);
}

/** The rows of aggregates, by id. */
export async function rowsOf<F extends Family>(
  db: Queryable,
  family: F,
  ids: readonly string[],
): Promise<Map<string, Rows[F]>> {
  const { table, id, type } = tables[family];
  const { rows } = await db.query<{ id: string; state: Rows[F] }>(
    `select ${id}::text as id, state from ${table} where ${id} = any ($1::${type}[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row.state]));
}

/** The steps of aggregates, in the order of their versions. */
export async function stepsOfAll(
  db: Queryable,
  ids: readonly string[],
): Promise<Map<string, readonly RecordedStep[]>> {
  const { rows } = await db.query<RecordedStep>(
    `select step_id as "stepId", aggregate_id as "aggregateId", version, fact,
       (extract(epoch from now() - recorded_at) * 1000)::bigint as "ageMs"
     from steps where aggregate_id = any ($1) order by aggregate_id, version`,
    [ids],
  );
  return groupBy(rows, ({ aggregateId }) => aggregateId);
}

/** What is booked for steps, by their ids. */
export async function bookingsOfSteps(
  db: Queryable,
  stepIds: readonly string[],
): Promise<Map<string, readonly LedgerEntry[]>> {
  const { rows } = await db.query<LedgerEntry & { stepId: string }>(
    `select step_id as "stepId", account, currency, amount_minor as "amountMinor"
     from ledger_transactions join ledger_entries using (transaction_id) where step_id = any ($1)`,
    [stepIds],
  );
  return groupBy(rows, ({ stepId }) => stepId);
}

export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
