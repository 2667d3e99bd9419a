import { randomUUID } from 'node:crypto';
import { driftLine } from '../../domain/reconciliation';
import { createFactProducer } from '../../platform/kafka';
import { withTransaction } from '../../platform/postgres';
import { book } from '../../services/payments/books/ledger';
import { v7 as uuidv7 } from 'uuid';
import { factRecord, quiet } from '../support/backbone';
import { startReconcileGround, type ReconcileGround } from '../support/reconcileGround';

jest.setTimeout(60_000);

let ground: ReconcileGround;
beforeAll(async () => {
  ground = await startReconcileGround();
});
afterAll(() => ground?.stop());

const at = '2026-03-01T12:00:00.000Z';

test('a clean house says nothing', async () => {
  const { saga, relayed, reconciler, order } = ground;
  const captured = await ground.captured();
  await saga.tip(captured, 300);
  await saga.refund(captured, { refundKey: 'ops:1', amountMinor: 400, reason: 'detour' });
  await ground.voided();
  const token = 'pm_card_visa_chargeDeclinedInsufficientFunds';
  await saga.result(await saga.open({ method: { type: 'card', token } }));
  const cash = await saga.open({ method: { type: 'cash' } });
  await saga.rideEnded(cash, { amountMinor: 1_200, driverId: 'driver-1' });
  await saga.result(cash);
  await ground.authorized();
  await relayed();
  for (const check of ['books', 'workflows', 'provider', 'log'] as const)
    expect({ check, ...(await reconciler.check(check, order())), compared: undefined }).toEqual({
      check,
      drifts: [],
      compared: undefined,
    });
});

test('a row that is not what its facts give', async () => {
  const rideId = await ground.captured();
  await ground.byHand.query(
    `update payments set state = jsonb_set(state, '{capturedMinor}', '1400') where payment_id = $1`,
    [rideId],
  );
  const [drift, ...others] = await ground.drifts('books', rideId);
  expect(others).toEqual([]);
  expect(drift).toMatchObject({ kind: 'row_differs', ids: { rideId } });
  expect(driftLine(drift!)).toContain('capturedMinor is 1400, by its facts 1500');
  expect(drift!.repair).toBeUndefined();
});

test('a row with another card: what it could be charged by is not told', async () => {
  const rideId = await ground.captured();
  await ground.byHand.query(
    `update payments set state = jsonb_set(state, '{method,token}', '"pm_seeded"') where payment_id = $1`,
    [rideId],
  );
  const [drift] = await ground.drifts('books', rideId);
  expect(drift).toMatchObject({ kind: 'row_differs', says: expect.stringContaining('method is') });
  expect(driftLine(drift!)).not.toContain('pm_');
});

test('facts of which one is missing, and a row without any', async () => {
  const rideId = await ground.captured();
  await ground.byHand.query('delete from steps where aggregate_id = $1 and version = 2', [rideId]);
  expect(await ground.drifts('books', rideId)).toMatchObject([
    { kind: 'facts_broken', says: 'its facts do not fold: version 2 is missing' },
  ]);
});

const tip = (driverId = 'driver-1') =>
  ({
    type: 'payment.tip_charged',
    at,
    data: { intentId: 'pi_none', tipMinor: 250, currency: 'USD', driverId },
  }) as const;

test('a fact that moves money and is not booked', async () => {
  const rideId = await ground.captured();
  const stepId = await ground.commit(rideId, tip(), { book: false });
  expect(await ground.drifts('books', rideId)).toMatchObject([
    { kind: 'booking_missing', ids: { rideId, stepId }, byMinor: -250, currency: 'USD' },
  ]);
});

test('a booking of another amount than its fact says', async () => {
  const rideId = await ground.captured();
  const stepId = await ground.commit(rideId, tip('driver-1'), { book: false });
  await withTransaction(ground.pool, (tx) =>
    book(tx, {
      ...{ stepId, paymentId: rideId, kind: 'payment.tip_charged', recordedAt: at },
      entries: [
        { account: 'provider_clearing', amountMinor: 260, currency: 'USD' },
        { account: 'driver_payable:driver-1', amountMinor: -260, currency: 'USD' },
      ],
    }),
  );
  expect(await ground.drifts('books', rideId)).toMatchObject([
    { kind: 'booking_differs', byMinor: 10, says: expect.stringContaining('provider_clearing') as string },
  ]);
});

test('a booking of nothing that is recorded', async () => {
  const stepId = `${randomUUID()}/nobody/0`;
  await withTransaction(ground.pool, (tx) =>
    book(tx, {
      ...{ stepId, paymentId: randomUUID(), kind: 'payment.captured', recordedAt: at },
      entries: [
        { account: 'provider_clearing', amountMinor: 1, currency: 'USD' },
        { account: 'platform_revenue', amountMinor: -1, currency: 'USD' },
      ],
    }),
  );
  expect(await ground.drifts('books', stepId)).toMatchObject([{ kind: 'booking_unfounded' }]);
});

test('a ledger that does not sum to zero, and a balance that is not its entries', async () => {
  const transactionId = uuidv7();
  await ground.byHand.query(
    `insert into ledger_transactions (transaction_id, step_id, payment_id, kind, recorded_at)
     values ($1, $2, $3, 'payment.captured', now())`,
    [transactionId, transactionId, randomUUID()],
  );
  await ground.byHand.query(
    `insert into ledger_entries (transaction_id, account, currency, amount_minor) values ($1, 'disputes', 'CHF', 7)`,
    [transactionId],
  );
  expect(await ground.drifts('books', 'CHF')).toMatchObject([
    { kind: 'ledger_unbalanced', ids: { account: 'disputes', currency: 'CHF' }, byMinor: -7 },
    { kind: 'ledger_unbalanced', ids: { currency: 'CHF' }, byMinor: 7 },
  ]);
});

test('the log: what is missing, unfounded, told otherwise or out of order', async () => {
  const { topic, kafka } = ground;
  const [lost, twisted, told] = await Promise.all([ground.captured(), ground.captured(), ground.captured()]);
  await ground.relayed();
  // Committed, and never put into the outbox.
  await ground.commit(lost, tip());
  expect(await ground.drifts('log', lost)).toEqual([]);
  await ground.age(lost, 5);
  // The relay goes past it.
  await ground.voided();
  await ground.relayed();
  expect(await ground.drifts('log', lost)).toMatchObject([
    {
      kind: 'fact_missing_on_log',
      ids: { factId: `payment.tip_charged/${lost}/4` },
      cause: 'the relay has sent it: the log has lost it',
    },
  ]);

  await ground.commit(twisted, tip());
  await ground.commit(twisted, refund(twisted));
  const producer = createFactProducer(kafka, { log: quiet });
  const send = (key: string, sequence: number, type: string, value: object) => {
    const record = factRecord(topic, key, sequence, value);
    return producer.send([
      { ...record, headers: { ...record.headers, ce_id: `${type}/${key}/${sequence}` } },
    ]);
  };
  await send(twisted, 5, 'payment.refunded', refund(twisted).data);
  await send(twisted, 4, 'payment.tip_charged', tip().data);
  await send(told, 4, 'payment.voided', { intentId: null });
  await send(told, 2, 'payment.authorized', { intentId: 'pi_other', amountMinor: 1, currency: 'USD' });
  await producer.disconnect();
  expect(await ground.drifts('log', twisted)).toMatchObject([
    { kind: 'facts_out_of_order', ids: { factId: `payment.tip_charged/${twisted}/4` } },
  ]);
  expect(await ground.drifts('log', told)).toMatchObject([
    { kind: 'fact_unfounded_on_log', ids: { factId: `payment.voided/${told}/4` } },
    { kind: 'fact_differs_on_log', ids: { factId: `payment.authorized/${told}/2` } },
  ]);
});

const refund = (rideId: string) =>
  ({
    type: 'payment.refunded',
    at,
    data: {
      ...{ refundId: `re_${rideId}`, amountMinor: 100, currency: 'USD', reason: 'by hand' },
      intentId: 'pi_none',
    },
  }) as const;
