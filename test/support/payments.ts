import { randomUUID } from 'node:crypto';
import type { PaymentOrder } from '../../domain/paymentFacts';
import { createPool, type Pool } from '../../platform/postgres';
import { createProviderClient, type ProviderAccess } from '../../services/payments/provider';
import { createDatabase } from './servers';

/** A database of payments of this test file's own; close its pool at the end. */
export async function paymentsDatabase(): Promise<Pool> {
  return createPool(await createDatabase('payments'), { applicationName: 'payments test' });
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
