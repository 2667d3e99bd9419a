import { randomUUID } from 'node:crypto';
import type { Drift } from '../../domain/reconciliation';
import { startReconcileGround, type ReconcileGround } from '../support/reconcileGround';

jest.setTimeout(60_000);

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
const ago = (ms: number): Date => new Date(Date.now() - ms);

let ground: ReconcileGround;
beforeAll(async () => {
  ground = await startReconcileGround();
  await ground.psp.post('/sandbox/funds', { amount: 100_000, currency: 'usd' });
});
beforeEach(() => void (ground.psp.clock.now = ago(3 * DAY_MS)));
afterAll(() => ground?.stop());

/** What a run of the Schedule's says of these: it looks a day back. Nobody has told us of anything. */
async function foundBySchedule(...ids: string[]): Promise<Drift[]> {
  const order = ground.order({ since: ago(DAY_MS).toISOString() });
  const { drifts } = await ground.reconciler.check('provider', order);
  return drifts.filter((drift) => Object.values(drift.ids).some((id) => ids.includes(id)));
}

/** A transfer of 50 dollars as the provider has it; the answer is its id. */
const transfer = async (payoutId: string): Promise<string> => {
  const order = { amount: 5_000, currency: 'usd', destination: 'acct_1', transfer_group: payoutId };
  const { id } = await ground.psp.stripe.transfers.create({ ...order, metadata: { payoutId } });
  return id;
};

test('a transfer that comes back days after its payout was paid', async () => {
  const payoutId = randomUUID();
  const transferId = await transfer(payoutId);
  const amount = { driverId: 'driver-1', amountMinor: 5_000, currency: 'USD', period: '2026-W09' };
  const state = { payoutId, ...amount, destination: 'acct_1', version: 1, status: 'paid', transferId };
  await ground.pool.query(
    `insert into payouts (payout_id, driver_id, currency, period, version, state)
     values ($1, 'driver-1', 'USD', '2026-W09', 1, $2)`,
    [payoutId, JSON.stringify({ ...state, returnedMinor: 0, reason: null })],
  );
  ground.psp.clock.now = ago(0);
  expect(await foundBySchedule(payoutId)).toEqual([]);
  await ground.psp.stripe.transfers.createReversal(transferId, { amount: 5_000 });
  expect(await foundBySchedule(payoutId)).toMatchObject([
    { kind: 'transfer_differs', byMinor: -5_000, repair: { does: 'tell_payout', payoutId } },
  ]);
});

test('a refund that fails days after it was given, when its payment is over', async () => {
  const { saga, psp } = ground;
  const rideId = await saga.open({ method: { type: 'card', token: 'pm_card_refundFail' } });
  await ground.untilTold(rideId);
  await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
  await ground.untilStatus(rideId, 'captured');
  const order = { refundKey: 'ops:1', amountMinor: 400, reason: 'detour' };
  const { refundId } = await saga.refund(rideId, order);
  await saga.handle(rideId).terminate('as if the window were over');
  // What has changed is found by its transaction: one that is later, and older than a day, lies between.
  for (const id of [rideId, await ground.authorized()]) await ground.age(id, (3 * DAY_MS) / 60_000);
  psp.clock.now = ago(0);
  expect(await foundBySchedule(rideId)).toMatchObject([
    { kind: 'refund_differs', byMinor: -400, repair: { does: 'tell_refunds', rideId, refundId } },
  ]);
});

test('where nobody could look for days, the next run looks as far back', async () => {
  const payoutId = randomUUID();
  await transfer(payoutId);
  ground.psp.clock.now = ago(0);
  const ran = async (startedAt: Date, unseen: readonly string[]) => {
    const runId = randomUUID();
    const at = startedAt.toISOString();
    const run = { runId, version: 1, since: at, repairs: false, startedAt: at, finishedAt: at };
    await ground.pool.query('insert into reconciliations (run_id, version, state) values ($1, 1, $2)', [
      runId,
      JSON.stringify({ ...run, found: 0, left: {}, unseen }),
    ]);
  };
  expect(await foundBySchedule(payoutId)).toEqual([]);
  await ran(ago(4 * DAY_MS), []);
  await ran(ago(2 * HOUR_MS), ['provider']);
  expect(await foundBySchedule(payoutId)).toMatchObject([{ kind: 'transfer_differs', byMinor: 5_000 }]);
  await ran(ago(HOUR_MS), ['log']);
  expect(await foundBySchedule(payoutId)).toEqual([]);
});
