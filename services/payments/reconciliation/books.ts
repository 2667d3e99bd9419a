import type { Pool, Queryable } from '../../../platform/postgres';
import type { Drift } from '../../../domain/reconciliation';
import { firstUuidOf } from '../provider/retention';
import { createCollected } from './collect';
import { judgeBooks } from './judgeBooks';
import {
  bookingsOfSteps,
  families,
  looking,
  pagesOf,
  rowsOf,
  stepsOfAll,
  type Page,
  type Scope,
} from './pages';

const PAGE = 500;
/** The whole ledger is summed up once. */
const SUM_TIMEOUT_MS = 300_000;

/** Rows against facts, facts against bookings, and the ledger against itself. */
export async function checkBooks(pool: Pool, scope: Scope, beat: () => void): Promise<readonly Drift[]> {
  const collected = createCollected();
  for await (const page of pagesOf(pool, scope)) {
    beat();
    if (collected.isFull) break;
    collected.add(...(await judgePage(pool, page)));
  }
  const suspects = scope.again.flatMap(({ drift }) => drift.ids['stepId'] ?? []);
  collected.add(...(await stillUnfounded(pool, suspects)).map(unfounded));
  for await (const stepIds of unfoundedBookings(pool, scope.since)) {
    beat();
    collected.add(...stepIds.map(unfounded));
  }
  collected.add(...(await looking(pool, unbalanced)));
  return collected.drifts;
}

const judgePage = (pool: Pool, page: Page): Promise<Drift[]> =>
  looking(pool, async (tx) => {
    const ids = families.flatMap((family) => page[family]);
    const steps = await stepsOfAll(tx, ids);
    const stepIds = [...steps.values()].flat().map(({ stepId }) => stepId);
    const bookings = await bookingsOfSteps(tx, stepIds);
    const drifts: Drift[] = [];
    for (const family of families) {
      const rows = await rowsOf(tx, family, page[family]);
      for (const id of page[family])
        drifts.push(
          ...judgeBooks({ family, id, row: rows.get(id) ?? null, steps: steps.get(id) ?? [], bookings }),
        );
    }
    return drifts;
  });

/** Bookings since then of steps that nobody has recorded. A booking's id begins with its time. */
async function* unfoundedBookings(db: Queryable, since: string): AsyncGenerator<string[]> {
  for (let after = firstUuidOf(new Date(since)); ;) {
    const { rows } = await db.query<{ transactionId: string; stepId: string; founded: boolean }>(
      `select transaction_id as "transactionId", booked.step_id as "stepId", steps.step_id is not null as founded
       from ledger_transactions booked left join steps using (step_id)
       where transaction_id > $1 order by transaction_id limit ${PAGE}`,
      [after],
    );
    const stepIds = rows.filter(({ founded }) => !founded).map(({ stepId }) => stepId);
    if (stepIds.length > 0) yield stepIds;
    if (rows.length < PAGE) return;
    after = rows.at(-1)!.transactionId;
  }
}

async function stillUnfounded(db: Queryable, stepIds: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ stepId: string }>(
    `select step_id as "stepId" from ledger_transactions where step_id = any ($1)
       and not exists (select from steps where steps.step_id = ledger_transactions.step_id)`,
    [stepIds],
  );
  return rows.map(({ stepId }) => stepId);
}

const unfounded = (stepId: string): Drift => ({
  kind: 'booking_unfounded',
  ids: { stepId },
  says: 'a booking of a step that is not recorded',
  action: 'find out who has booked it; a booking is taken back by another one, never changed',
});

/** Each currency sums to zero, and each account's balance is the sum of its entries. */
async function unbalanced(db: Queryable): Promise<Drift[]> {
  await db.query(`set local statement_timeout = ${SUM_TIMEOUT_MS}`);
  const { rows } = await db.query<{ account: string; currency: string; booked: number; kept: number }>(
    `select account, currency, coalesce(sum(booked), 0)::bigint as booked, coalesce(sum(kept), 0)::bigint as kept
     from (select account, currency, amount_minor as booked, null::bigint as kept from ledger_entries
           union all select account, currency, null, amount_minor from ledger_balances) as both_ways
     group by account, currency`,
  );
  const currencies = [...new Set(rows.map(({ currency }) => currency))];
  const action = 'find the entry by the other drifts; the ledger is never changed, only added to';
  return [
    ...rows
      .filter(({ booked, kept }) => booked !== kept)
      .map(({ account, currency, booked, kept }): Drift => ({
        kind: 'ledger_unbalanced',
        ids: { account, currency },
        ...{ byMinor: kept - booked, currency, action },
        says: `the balance that is kept is not the sum of the account’s entries`,
      })),
    ...currencies.flatMap((currency): Drift[] => {
      const byMinor = rows.reduce((sum, row) => sum + (row.currency === currency ? row.booked : 0), 0);
      if (byMinor === 0) return [];
      const says = 'the ledger does not sum to zero';
      return [{ kind: 'ledger_unbalanced', ids: { currency }, byMinor, currency, says, action }];
    }),
  ];
}
