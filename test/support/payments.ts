import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { PaymentOrder } from '../../domain/payment';
import { createPool, migrate, migrationSet, outboxMigrations, type Pool } from '../../platform/postgres';
import { createProviderClient, type ProviderAccess } from '../../services/payments/provider';

/** A database of payments of this test file's own. */
export async function paymentsDatabase(): Promise<{ pool: Pool; url: string; drop: () => Promise<void> }> {
  const adminUrl = process.env['POSTGRES_URL'] ?? '';
  const name = `payments_${randomUUID().replaceAll('-', '')}`;
  const asAdmin = async (sql: string): Promise<void> => {
    const admin = new Client({ connectionString: adminUrl });
    await admin.connect();
    await admin.query(sql).finally(() => admin.end());
  };
  await asAdmin(`create database ${name}`);
  const url = Object.assign(new URL(adminUrl), { pathname: name }).toString();
  await migrate(url, [outboxMigrations, migrationSet('payments', 'services/payments/migrations')]);
  const pool = createPool(url, { applicationName: 'payments test' });
  return {
    pool,
    url,
    async drop() {
      await pool.end();
      await asAdmin(`drop database ${name} with (force)`);
    },
  };
}

/** What the payments worker reaches the provider with; a call times out after half a second. */
export const providerAccess = (pool: Pool, url: string): ProviderAccess => ({
  pool,
  client: createProviderClient({ apiKey: 'sk_test_hailway', apiBase: url, timeoutMs: 500 }),
});

/** An order of its own ride: 15 dollars by card unless told otherwise. */
export const paymentOrder = (changes: Partial<PaymentOrder> = {}): PaymentOrder => ({
  rideId: randomUUID(),
  riderId: 'rider-1',
  method: { type: 'card', token: 'pm_card_visa' },
  amountMinor: 1_500,
  currency: 'USD',
  ...changes,
});

/** As an activity is called: again and again until it answers. Fails after `attempts`. */
export async function untilAnswered<T>(call: () => Promise<T>, attempts = 8): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (attempt === attempts) throw error;
    }
  }
}
