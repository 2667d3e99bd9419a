import { createPaymentActivities, type PaymentTransitions } from '../../activities/payments';
import { foldPayment, type Payment } from '../../domain/payment';
import type { PaymentFact } from '../../domain/paymentFacts';
import { stepsOf } from '../../platform/outbox';
import { withTransaction, type Pool } from '../../platform/postgres';
import { balancesOf, book, type LedgerTransaction } from '../../services/payments/books/ledger';
import { getPayment } from '../../services/payments/books/paymentStore';
import { fareBooking, ownersPool, paymentOrder, paymentsDatabase, providerAccess } from '../support/payments';
import { at } from '../support/rides';
import { vaultInMemory } from '../../tools/vaultInMemory';

let pool: Pool;
let owner: Pool;
let transitions: PaymentTransitions;

beforeAll(async () => {
  pool = await paymentsDatabase();
  owner = ownersPool(pool);
  const { client } = providerAccess(pool, 'http://127.0.0.1:1');
  transitions = createPaymentActivities({ pool, vault: vaultInMemory(), provider: client }).transitions;
});
afterAll(() => Promise.all([pool.end(), owner.end()]));

const booked = (booking: LedgerTransaction): Promise<void> =>
  withTransaction(pool, (tx) => book(tx, booking));

describe('the database itself', () => {
  test('takes a booking that balances, and only once', async () => {
    const booking = fareBooking();
    await booked(booking);
    await expect(booked(booking)).rejects.toThrow(/step_id/);
    const lines = await balancesOf(pool, booking.paymentId);
    expect(lines.map((line) => line.amountMinor).sort((a, b) => a - b)).toEqual([-1_200, -300, 1_500]);
  });

  test('refuses one that does not balance, at commit', async () => {
    const entries = [
      { account: 'provider_clearing', amountMinor: 1_500, currency: 'USD' },
      { account: 'platform_revenue', amountMinor: -1_499, currency: 'USD' },
    ] as const;
    await expect(booked(fareBooking({ entries }))).rejects.toThrow(/does not balance: 1 USD/);
  });

  test('refuses one that balances only across currencies', async () => {
    const entries = [
      { account: 'provider_clearing', amountMinor: 1_500, currency: 'USD' },
      { account: 'platform_revenue', amountMinor: -1_500, currency: 'EUR' },
    ] as const;
    await expect(booked(fareBooking({ entries }))).rejects.toThrow(/does not balance/);
  });

  test('takes no entries later, not even balanced ones', async () => {
    const booking = fareBooking();
    await booked(booking);
    const late = `insert into ledger_entries (transaction_id, account, currency, amount_minor)
      select transaction_id, account, 'USD', amount from ledger_transactions,
        (values ('platform_revenue', 5), ('provider_clearing', -5)) as line (account, amount)
      where step_id = $1`;
    await expect(pool.query(late, [booking.stepId])).rejects.toThrow(/is closed/);
  });
});

describe('recording a fact', () => {
  const step = (rideId: string, name: string, expectedVersion: number, fact: Omit<PaymentFact, 'at'>) => ({
    stepId: `${rideId}/${name}/${expectedVersion}`,
    aggregateId: rideId,
    expectedVersion,
    fact: { at: at(expectedVersion), ...fact } as PaymentFact,
  });
  const authorized = { intentId: 'pi_1', amountMinor: 1_500, currency: 'USD' };
  const captured = { ...authorized, driverId: 'driver-1', commissionMinor: 300 };

  async function capturedPayment() {
    const order = paymentOrder();
    const { rideId } = order;
    await transitions.openPayment(
      step(rideId, 'openPayment', 0, { type: 'payment.opened', data: order } as never),
    );
    await transitions.recordAuthorized(
      step(rideId, 'recordAuthorized', 1, { type: 'payment.authorized', data: authorized } as never),
    );
    const capture = step(rideId, 'recordCaptured', 2, { type: 'payment.captured', data: captured } as never);
    return { rideId, capture, recorded: await transitions.recordCaptured(capture) };
  }

  test('writes row, fact and booking together; its facts fold to its row', async () => {
    const { rideId, recorded } = await capturedPayment();
    expect(recorded).toMatchObject({ applied: true, state: { status: 'captured', capturedMinor: 1_500 } });
    const steps = await stepsOf<PaymentFact>(pool, rideId);
    const folded = steps.reduce<Payment | null>((payment, { fact }) => foldPayment(payment, fact), null);
    expect(await getPayment(pool, rideId)).toEqual(folded);
    expect(await balancesOf(pool, rideId)).toEqual([
      { account: 'driver_payable:driver-1', currency: 'USD', amountMinor: -1_200 },
      { account: 'platform_revenue', currency: 'USD', amountMinor: -300 },
      { account: 'provider_clearing', currency: 'USD', amountMinor: 1_500 },
    ]);
    const { rows } = await pool.query('select topic from outbox where key = $1', [rideId]);
    expect(rows).toEqual([{ topic: 'payments' }, { topic: 'payments' }, { topic: 'payments' }]);
  });

  test('a repeat answers what is committed and books nothing', async () => {
    const { rideId, capture, recorded } = await capturedPayment();
    expect(await transitions.recordCaptured(capture)).toEqual(recorded);
    expect(await balancesOf(pool, rideId)).toHaveLength(3);
  });

  test('a version that another step has taken is not overwritten', async () => {
    const { rideId } = await capturedPayment();
    const late = step(rideId, 'recordVoided', 2, {
      type: 'payment.voided',
      data: { intentId: 'pi_1' },
    } as never);
    expect(await transitions.recordVoided(late)).toMatchObject({
      applied: false,
      state: { status: 'captured', version: 3 },
    });
  });

  test('a booking that is refused takes the fact with it', async () => {
    const { rideId } = await capturedPayment();
    await owner.query(
      `create function refuse_refunds() returns trigger language plpgsql as $$
       begin if new.kind = 'payment.refunded' then raise exception 'refused for a test'; end if; return new; end $$;
       create trigger refuse_refunds before insert on ledger_transactions
         for each row execute function refuse_refunds()`,
    );
    const refund = { refundId: 're_1', amountMinor: 100, currency: 'USD', reason: 'late' };
    const refused = step(rideId, 'recordRefund', 3, { type: 'payment.refunded', data: refund } as never);
    await expect(transitions.recordRefund(refused)).rejects.toThrow('refused for a test');
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'captured', version: 3 });
    expect(await stepsOf(pool, rideId)).toHaveLength(3);
  });
});
