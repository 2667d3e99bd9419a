import { randomUUID } from 'node:crypto';
import { createPayoutActivities } from '../../activities/payments/payouts';
import { driverAccount } from '../../domain/ledger';
import type { PayoutFact } from '../../domain/payout';
import type { Step } from '../../domain/sagas';
import { withTransaction, type Pool } from '../../platform/postgres';
import { book } from '../../services/payments/books/ledger';
import { owedTo, payoutIdOf } from '../../services/payments/books/payoutStore';
import { inOrder } from '../support/heldTransaction';
import { paymentsDatabase } from '../support/payments';
import { vaultInMemory } from '../../tools/vaultInMemory';

let pool: Pool;
beforeAll(async () => void (pool = await paymentsDatabase()));
afterAll(() => pool?.end());

const at = '2026-03-02T04:00:00.000Z';

async function driverOwed(amountMinor: number): Promise<string> {
  const driverId = `driver-${randomUUID()}`;
  const entries = [
    { account: 'provider_clearing', amountMinor, currency: 'USD' } as const,
    { account: driverAccount(driverId), amountMinor: -amountMinor, currency: 'USD' },
  ];
  const ids = { stepId: randomUUID(), paymentId: randomUUID() };
  await withTransaction(pool, (tx) =>
    book(tx, { ...ids, kind: 'payment.captured', recordedAt: at, entries }),
  );
  return driverId;
}

function start(driverId: string, period: string, amountMinor: number): Step<PayoutFact> {
  const payoutId = payoutIdOf({ driverId, currency: 'USD', period });
  const data = { payoutId, driverId, currency: 'USD', period, amountMinor, destination: 'acct_1TestAccount' };
  const fact: PayoutFact = { type: 'payout.started', at, data };
  return { stepId: `${payoutId}/startPayout/0`, aggregateId: payoutId, expectedVersion: 0, fact };
}

const starting = (step: Step<PayoutFact>) => (on: Pool) =>
  createPayoutActivities({ pool: on, vault: vaultInMemory(), provider: undefined as never }).startPayout(
    step,
  );

test('two payouts of one driver that begin at once do not both take the balance', async () => {
  const driverId = await driverOwed(5_000);
  const { first, second } = await inOrder(
    pool,
    starting(start(driverId, '2026-W09', 5_000)),
    starting(start(driverId, '2026-W10', 5_000)),
  );
  expect(first).toMatchObject({ done: { applied: true } });
  expect(second).toEqual({ refused: 'payout_not_covered' });
  expect((await owedTo(pool, driverId)).get('USD')).toBe(0);
});

test('the same payout begun twice at once is one', async () => {
  const driverId = await driverOwed(5_000);
  const step = start(driverId, '2026-W09', 5_000);
  const { first, second } = await inOrder(pool, starting(step), starting(step));
  const isStarted = { done: { applied: true, state: { status: 'started', amountMinor: 5_000 } } };
  expect([first, second]).toMatchObject([isStarted, isStarted]);
  expect((await owedTo(pool, driverId)).get('USD')).toBe(0);
});
