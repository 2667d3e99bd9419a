import { randomUUID } from 'node:crypto';
import type { Drift } from '../../domain/reconciliation';
import { startReconcileGround, type ReconcileGround } from '../support/reconcileGround';

jest.setTimeout(60_000);

let ground: ReconcileGround;
beforeAll(async () => {
  ground = await startReconcileGround();
  await ground.psp.post('/sandbox/funds', { amount: 100_000, currency: 'usd' });
});
afterAll(() => ground?.stop());

/** A transfer as the provider has it; the answer is its id. */
async function transfer(payoutId: string, amount = 5_000): Promise<string> {
  const { id } = await ground.psp.stripe.transfers.create({
    ...{ amount, currency: 'usd', destination: 'acct_1', transfer_group: payoutId },
    metadata: { payoutId },
  });
  return id;
}

/** A payout of 50 dollars as our row has it. */
async function payout(
  payoutId: string,
  status: string,
  { transferId = null, returnedMinor = 0 }: { transferId?: string | null; returnedMinor?: number } = {},
): Promise<void> {
  const amount = { driverId: `driver-${payoutId}`, amountMinor: 5_000, currency: 'USD' };
  const state = {
    ...{ payoutId, ...amount, period: '2026-W09', destination: 'acct_1' },
    ...{ version: 1, status, transferId, returnedMinor, reason: null },
  };
  await ground.pool.query(
    `insert into payouts (payout_id, driver_id, currency, period, version, state) values ($1, $2, $3, $4, 1, $5)`,
    [payoutId, amount.driverId, 'USD', '2026-W09', JSON.stringify(state)],
  );
}

const sendBack = (transferId: string, amount: number): Promise<unknown> =>
  ground.psp.stripe.transfers.createReversal(transferId, { amount });

const found = (payoutId: string): Promise<Drift[]> => ground.drifts('provider', payoutId);

test('paid at the provider, and not booked', async () => {
  const payoutId = randomUUID();
  await payout(payoutId, 'started');
  await transfer(payoutId);
  expect(await found(payoutId)).toMatchObject([
    { kind: 'transfer_differs', byMinor: 5_000, repair: { does: 'tell_payout', payoutId } },
  ]);
});

test('paid and come back before we have heard of it', async () => {
  const payoutId = randomUUID();
  await payout(payoutId, 'started');
  await sendBack(await transfer(payoutId, 4_000), 4_000);
  expect(await found(payoutId)).toMatchObject([{ byMinor: 0, repair: { does: 'tell_payout' } }]);
});

test('paid twice, and to a payout that we do not know', async () => {
  const [twice, unknown] = [randomUUID(), randomUUID()];
  await payout(twice, 'paid', { transferId: 'tr_the_first' });
  await Promise.all([transfer(twice), transfer(unknown)]);
  expect(await found(twice)).toMatchObject([
    { byMinor: 5_000, says: 'one transfer more than the payout, which is paid, knows of' },
  ]);
  expect(await found(unknown)).toMatchObject([
    { byMinor: 5_000, says: 'the provider has paid out for a payout that we do not know' },
  ]);
});

test.each([
  { booked: 0, cameBack: 0 },
  { booked: 2_000, cameBack: 2_000 },
  { booked: 5_000, cameBack: 5_000 },
])('what came back as it is booked is no drift: $booked', async ({ booked, cameBack }) => {
  const payoutId = randomUUID();
  const transferId = await transfer(payoutId);
  await payout(payoutId, booked === 0 ? 'paid' : 'returned', { transferId, returnedMinor: booked });
  if (cameBack > 0) await sendBack(transferId, cameBack);
  expect(await found(payoutId)).toEqual([]);
});

test.each([
  { booked: 0, cameBack: 2_000 },
  { booked: 0, cameBack: 5_000 },
  { booked: 2_000, cameBack: 5_000 },
])('more came back than is booked: its payout looks ($booked, $cameBack)', async ({ booked, cameBack }) => {
  const payoutId = randomUUID();
  const transferId = await transfer(payoutId);
  await payout(payoutId, booked === 0 ? 'paid' : 'returned', { transferId, returnedMinor: booked });
  await sendBack(transferId, cameBack);
  expect(await found(payoutId)).toMatchObject([
    { byMinor: booked - cameBack, repair: { does: 'tell_payout', payoutId, objectId: transferId } },
  ]);
});

test('less came back than is booked: nobody can look that away', async () => {
  const payoutId = randomUUID();
  const transferId = await transfer(payoutId);
  await payout(payoutId, 'returned', { transferId, returnedMinor: 2_000 });
  await sendBack(transferId, 500);
  const [drift, ...others] = await found(payoutId);
  expect(others).toEqual([]);
  expect(drift).toMatchObject({ byMinor: 1_500 });
  expect(drift!.repair).toBeUndefined();
});
