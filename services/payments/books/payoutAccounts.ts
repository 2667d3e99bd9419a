import type { Pool } from 'pg';
import { writtenFact } from '../../../contracts/writtenFact';
import { payoutAccountId, stepId } from '../../../domain/names';
import { recordFact } from '../../../platform/outbox';
import { withTransaction, type Queryable, type Tx } from '../../../platform/postgres';

/** Where a driver is paid out, by the provider's id of the account; null where nothing was said. */
export async function payoutAccountOf(db: Queryable, driverId: string): Promise<string | null> {
  const { rows } = await db.query<{ destination: string }>(
    'select destination from payout_accounts where driver_id = $1',
    [driverId],
  );
  return rows[0]?.destination ?? null;
}

/** The ids of drivers who can be paid out, in their order, after `after` ('' for the first). */
export async function driversWithAccount(db: Queryable, after: string, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ driverId: string }>(
    'select driver_id as "driverId" from payout_accounts where driver_id > $1 order by driver_id limit $2',
    [after, limit],
  );
  return rows.map(({ driverId }) => driverId);
}

export interface PayoutAccountChange {
  readonly driverId: string;
  /** The provider's id of an account. */
  readonly destination: string;
  /** ISO 8601 UTC. */
  readonly at: string;
  /** Kafka topics' (none). */
  readonly topicPrefix?: string;
}

/**
 * Has a driver's payouts go there from now on, with the fact that tells of it; one that is under way goes where it went.
 * Where they go there already nothing happens.
 */
export async function changePayoutAccount(pool: Pool, change: PayoutAccountChange): Promise<void> {
  const { driverId, destination, at, topicPrefix = '' } = change;
  await withTransaction(pool, async (tx) => {
    const changed = await putAccount(tx, driverId, destination);
    if (changed === null) return;
    const { version, previousDestination } = changed;
    const aggregateId = payoutAccountId(driverId);
    const data = { driverId, destination, previousDestination };
    await recordFact(tx, {
      stepId: stepId(aggregateId, 'change', version),
      aggregateId,
      version,
      source: '/hailway/payments',
      ...writtenFact({ type: 'payout_account.changed', at, data }, topicPrefix),
    });
  });
}

/** The account's version after the change, and where payouts went before; null where they go there already. */
async function putAccount(
  tx: Tx,
  driverId: string,
  destination: string,
): Promise<{ version: number; previousDestination: string | null } | null> {
  const { rowCount } = await tx.query(
    `insert into payout_accounts (driver_id, destination, version) values ($1, $2, 1)
     on conflict (driver_id) do nothing`,
    [driverId, destination],
  );
  if (rowCount === 1) return { version: 1, previousDestination: null };
  const { rows } = await tx.query<{ destination: string; version: number }>(
    'select destination, version from payout_accounts where driver_id = $1 for update',
    [driverId],
  );
  const before = rows[0]!;
  if (before.destination === destination) return null;
  const version = before.version + 1;
  await tx.query(
    'update payout_accounts set destination = $2, version = $3, updated_at = now() where driver_id = $1',
    [driverId, destination, version],
  );
  return { version, previousDestination: before.destination };
}
