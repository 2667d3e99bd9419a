import type Stripe from 'stripe';
import { holdWith, refusal, startPsp, type RunningPsp } from '../support/sandboxPsp';

let psp: RunningPsp;
let stripe: Stripe;

beforeEach(async () => {
  psp = await startPsp();
  ({ stripe } = psp);
});
afterEach(() => psp.stop());

const transfer = (more: Partial<Stripe.TransferCreateParams> = {}, idempotencyKey?: string) =>
  stripe.transfers.create(
    {
      amount: 2000,
      currency: 'usd',
      destination: 'acct_driver1',
      transfer_group: 'payout-1',
      metadata: { payoutId: 'payout-1' },
      ...more,
    },
    idempotencyKey === undefined ? undefined : { idempotencyKey },
  );

test('money that was taken is transferred once for a key, and found by its group', async () => {
  await holdWith(stripe, { capture_method: 'automatic' });
  const paid = await transfer({}, 'payout-1');
  expect(paid).toMatchObject({
    object: 'transfer',
    amount: 2000,
    amount_reversed: 0,
    destination: 'acct_driver1',
    reversed: false,
    reversals: { data: [] },
  });
  expect((await transfer({}, 'payout-1')).id).toBe(paid.id);
  await transfer({ amount: 500, destination: 'acct_driver2', transfer_group: 'payout-2' });
  for (const params of [{ transfer_group: 'payout-1' }, { destination: 'acct_driver1' }])
    expect((await stripe.transfers.list(params)).data.map(({ id }) => id)).toEqual([paid.id]);
  psp = await psp.restart();
  ({ stripe } = psp);
  expect(await stripe.transfers.retrieve(paid.id)).toMatchObject({ metadata: { payoutId: 'payout-1' } });
  expect(await psp.ledger()).toMatchObject({
    consistent: true,
    currencies: { USD: { transferredMinor: 2500, balanceMinor: 0 } },
  });
});

test('more than there is is not transferred; what comes in, can be', async () => {
  expect(await refusal(transfer())).toMatchObject({ statusCode: 400, code: 'balance_insufficient' });
  await psp.post('/sandbox/funds', { amount: 2000, currency: 'usd' });
  expect((await stripe.balance.retrieve()).available).toMatchObject([{ amount: 2000, currency: 'usd' }]);
  expect(await refusal(transfer({ currency: 'eur' }))).toMatchObject({ code: 'balance_insufficient' });
  expect((await transfer()).amount).toBe(2000);
  expect(await refusal(transfer({ amount: 1 }))).toMatchObject({ code: 'balance_insufficient' });
  expect((await stripe.events.list({ type: 'transfer.created' })).data).toHaveLength(1);
});

test.each([
  ['acct_none1', 'resource_missing'],
  ['driver-1', 'resource_missing'],
  ['acct_restricted1', 'insufficient_capabilities_for_transfer'],
])('%s cannot be paid: %s', async (destination, code) => {
  await psp.post('/sandbox/funds', { amount: 2000, currency: 'usd' });
  expect(await refusal(transfer({ destination }))).toMatchObject({ statusCode: 400, code });
  expect((await stripe.transfers.list()).data).toEqual([]);
});

test('it comes back in parts, up to what it was', async () => {
  await psp.post('/sandbox/funds', { amount: 2000, currency: 'usd' });
  const { id } = await transfer();
  const reversal = await stripe.transfers.createReversal(id, { amount: 500 });
  expect(reversal).toMatchObject({ object: 'transfer_reversal', amount: 500, transfer: id });
  expect(await stripe.transfers.retrieve(id)).toMatchObject({ amount_reversed: 500, reversed: false });
  expect(await refusal(stripe.transfers.createReversal(id, { amount: 1501 }))).toMatchObject({
    statusCode: 400,
    param: 'amount',
  });
  await stripe.transfers.createReversal(id);
  expect(await stripe.transfers.retrieve(id)).toMatchObject({
    amount_reversed: 2000,
    reversed: true,
    reversals: { data: [{ amount: 1500 }, { id: reversal.id }] },
  });
  expect(await refusal(stripe.transfers.createReversal(id))).toMatchObject({ statusCode: 400 });
  expect((await stripe.transfers.listReversals(id)).data).toHaveLength(2);
  expect((await stripe.events.list({ type: 'transfer.reversed' })).data).toHaveLength(2);
  expect(await psp.ledger()).toMatchObject({
    consistent: true,
    currencies: { USD: { transferredMinor: 2000, transfersReversedMinor: 2000, balanceMinor: 2000 } },
  });
});
