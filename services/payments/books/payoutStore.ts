import { v5 as uuidv5 } from 'uuid';
import { driverAccount } from '../../../domain/ledger';
import type { Payout } from '../../../domain/payout';
import type { PayoutDue } from '../../../domain/sagas';
import type { Queryable, Tx } from '../../../platform/postgres';
import { balances } from './ledger';

/** Made once for this project; a payout's id is a UUID (version 5) below it. */
const ID_NAMESPACE = '0d7c2f53-5a43-5c0b-8e1d-6c1f2a9b7e30';

/** One payout a driver, currency and period: whoever asks for it asks for the same one. */
export const payoutIdOf = ({ driverId, currency, period }: PayoutDue): string =>
  uuidv5(`${driverId}|${currency}|${period}`, ID_NAMESPACE);

/** A payout as committed, or null before it was started. */
export async function getPayout(db: Queryable, payoutId: string): Promise<Payout | null> {
  const { rows } = await db.query<{ state: Payout }>({
    name: 'payout-get',
    text: 'select state from payouts where payout_id = $1',
    values: [payoutId],
  });
  return rows[0]?.state ?? null;
}

/**
 * The payout as committed, locked until the transaction ends, also before it has a row: a start that is repeated while
 * the first one commits has to find that one, and not a balance that is gone.
 */
export async function lockPayout(tx: Tx, payoutId: string): Promise<Payout | null> {
  await lockName(tx, `payout ${payoutId}`);
  const { rows } = await tx.query<{ state: Payout }>({
    name: 'payout-lock',
    text: 'select state from payouts where payout_id = $1',
    values: [payoutId],
  });
  return rows[0]?.state ?? null;
}

const lockName = (tx: Tx, name: string): Promise<unknown> =>
  tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);

/**
 * Writes the payout's new state over the version before it.
 * @throws Error where the version is another one: the caller holds the payout's lock, so that cannot be
 */
export async function putPayout(tx: Tx, payout: Payout): Promise<void> {
  const { payoutId, driverId, currency, period, version } = payout;
  const { rowCount } = await tx.query({
    name: 'payout-put',
    text: `insert into payouts (payout_id, driver_id, currency, period, version, state)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (payout_id) do update set version = excluded.version, state = excluded.state
           where payouts.version = excluded.version - 1`,
    values: [payoutId, driverId, currency, period, version, JSON.stringify(payout)],
  });
  if (rowCount !== 1) throw new Error(`impossible: payout ${payoutId} was not at version ${version - 1}`);
}

/** A driver's payouts, the newest period first. */
export async function payoutsOf(db: Queryable, driverId: string, limit: number): Promise<Payout[]> {
  const { rows } = await db.query<{ state: Payout }>(
    'select state from payouts where driver_id = $1 order by period desc, currency limit $2',
    [driverId, limit],
  );
  return rows.map(({ state }) => state);
}

/** What the house owes a driver, in minor units by currency; less than 0 where the driver owes the house. */
export async function owedTo(db: Queryable, driverId: string): Promise<Map<string, number>> {
  const lines = await balances(db, { account: driverAccount(driverId) });
  return new Map(lines.map(({ currency, amountMinor }) => [currency, 0 - amountMinor]));
}

/**
 * The same in one currency, while no other payout of this driver can begin before the transaction has ended: what two
 * read at once they would both pay out.
 */
export async function lockOwedTo(tx: Tx, driverId: string, currency: string): Promise<number> {
  await lockName(tx, `payouts of ${driverId} ${currency}`);
  return (await owedTo(tx, driverId)).get(currency) ?? 0;
}
