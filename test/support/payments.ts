import { randomUUID } from 'node:crypto';
import type { PaymentTransitions } from '../../activities/payments';
import { stepId } from '../../domain/names';
import { paymentSteps, type PaymentFact, type PaymentOrder } from '../../domain/paymentFacts';
import { foldPayment } from '../../domain/payment';
import { createPool, withTransaction, type Pool } from '../../platform/postgres';
import type { LedgerTransaction } from '../../services/payments/books/ledger';
import {
  createProviderClient,
  type ProviderAccess,
  type ProviderOptions,
} from '../../services/payments/provider/client';
import { getPayment, putPayment } from '../../services/payments/books/paymentStore';
import { asTablesOwner } from '../../tools/stack/databases';
import { createDatabase, postgresUrl } from './servers';

/** A database of payments of this test file's own; close its pool at the end. */
export async function paymentsDatabase(): Promise<Pool> {
  return createPool(await createDatabase('payments'), { applicationName: 'payments test' });
}

/** The same database, as the role that owns its tables: what no process is. */
export const ownersPool = (pool: Pool): Pool =>
  createPool(asTablesOwner(pool.options.connectionString as string, postgresUrl()), {
    applicationName: 'payments test, owner',
  });

/** What the payments worker reaches the provider with; a call times out after half a second. */
export const providerAccess = (
  pool: Pool,
  url: string,
  options: Partial<ProviderOptions> = {},
): ProviderAccess => ({
  pool,
  client: createProviderClient({ apiKey: 'sk_test_hailway', apiBase: url, timeoutMs: 500, ...options }),
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

/** The payment of an order, opened unless it was: what its workflow does before it asks the provider. */
export async function openPayment(pool: Pool, order = paymentOrder()): Promise<PaymentOrder> {
  if ((await getPayment(pool, order.rideId)) !== null) return order;
  const fact = { type: 'payment.opened', at: '2026-01-01T12:00:00.000Z', data: order } as const;
  await withTransaction(pool, (tx) => putPayment(tx, foldPayment(null, fact)));
  return order;
}

/** Commits facts of a payment that is at this version, with their bookings, as its workflow does. */
export async function commitFacts(
  transitions: PaymentTransitions,
  rideId: string,
  atVersion: number,
  facts: readonly PaymentFact[],
): Promise<void> {
  for (const [i, fact] of facts.entries()) {
    const step = paymentSteps[fact.type];
    const expectedVersion = atVersion + i;
    await transitions[step]({
      ...{ stepId: stepId(rideId, step, expectedVersion), aggregateId: rideId, expectedVersion, fact },
    });
  }
}

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

/** A booking of a fare of its own ride: 15 dollars, unless told otherwise. */
export const fareBooking = (changes: Partial<FareBooking> = {}): FareBooking => ({
  stepId: randomUUID(),
  paymentId: randomUUID(),
  kind: 'payment.captured',
  recordedAt: '2026-01-01T12:00:00.000Z',
  entries: [
    { account: 'provider_clearing', amountMinor: 1_500, currency: 'USD' },
    { account: 'driver_payable:driver-1', amountMinor: -1_200, currency: 'USD' },
    { account: 'platform_revenue', amountMinor: -300, currency: 'USD' },
  ],
  ...changes,
});

type FareBooking = Extract<LedgerTransaction, { paymentId: string }>;
