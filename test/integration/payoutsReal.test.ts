import { randomUUID } from 'node:crypto';
import { disputeUpdates, disputeWorkflowId, payoutWorkflowId } from '../../domain/names';
import { evidenceIdOf, storeEvidence } from '../../services/payments/books/disputeStore';
import { balancesOf } from '../../services/payments/books/ledger';
import { payoutIdOf } from '../../services/payments/books/payoutStore';
import { storeIntentId } from '../../services/payments/books/paymentStore';
import type { ProviderClient } from '../../services/payments/provider/client';
import { readDispute } from '../../services/payments/provider/disputes';
import { ownNamespace } from '../support/apiGround';
import { cardOf } from '../support/card';
import { startPayoutGround, type PayoutActivities, type PayoutGround } from '../support/payoutGround';
import { providerAccess } from '../support/payments';
import { eventually } from '../support/rideSaga';
import { holdWith, startPsp, type RunningPsp } from '../support/sandboxPsp';
import { existingEnvironment } from '../support/servers';

jest.setTimeout(120_000);

let psp: RunningPsp;
let ground: PayoutGround;
/** Called by name after the activity has done its work, before it answers: where a worker may die. */
const dying = new Map<string, number>();

beforeAll(async () => {
  psp = await startPsp();
  // The deadline of a dispute is on both clocks.
  psp.clock.now = new Date();
  const mortal =
    <A, T>(name: string, real: (argument: A) => Promise<T>) =>
    async (argument: A): Promise<T> => {
      const answer = await real(argument);
      const times = dying.get(name) ?? 0;
      dying.set(name, times - 1);
      if (times > 0) throw new Error(`the worker died after ${name}`);
      return answer;
    };
  ground = await startPayoutGround({
    env: await existingEnvironment(await ownNamespace()),
    provider: (pool) => providerAccess(pool, psp.url).client,
    instead: (real: PayoutActivities) => ({
      transfer: mortal('transfer', real.transfer),
      startPayout: mortal('startPayout', real.startPayout),
      recordPaid: mortal('recordPaid', real.recordPaid),
    }),
  });
});
afterEach(async () => {
  dying.clear();
  await psp.clearFaults();
});
afterAll(async () => {
  await ground?.stop();
  await psp?.stop();
});

const ended = ({ status }: { status: string }) => status !== 'started';
const week = (driverId: string) => ({ driverId, currency: 'USD', period: '2026-W09' });

/** A driver who has earned this, which the provider has of us. */
async function driver(amountMinor = 5_000): Promise<string> {
  await psp.post('/sandbox/funds', { amount: amountMinor, currency: 'usd' });
  return ground.driver(amountMinor);
}

/** Our books and the provider's say the same. */
async function booksAgree(): Promise<void> {
  const { currencies } = await psp.ledger();
  expect(await ground.account('provider_clearing')).toBe(currencies['USD']!.balanceMinor);
  expect(await ground.account('payouts_in_transit')).toBe(0);
}

const transfersOf = async (driverId: string) =>
  (await psp.stripe.transfers.list({ transfer_group: payoutIdOf(week(driverId)) })).data;

test.each(['drop_after', 'error500_after', 'drop_before', 'error500_before', 'hang_after', 'rate_limited'])(
  'a transfer that meets %s goes once',
  async (kind) => {
    const driverId = await driver();
    await psp.fault({ match: { method: 'POST', path: '/v1/transfers' }, kind, delayMs: 1_500, times: 2 });
    await ground.pay(week(driverId));
    const { transferId } = await ground.untilPayout(week(driverId), ended);
    expect((await transfersOf(driverId)).map(({ id, amount }) => [id, amount])).toEqual([
      [transferId, 5_000],
    ]);
    expect(await ground.owed(driverId)).toBe(0);
    await booksAgree();
  },
);

test.each(['startPayout', 'transfer', 'recordPaid'])(
  'a worker that dies after %s, before anybody knows, pays once',
  async (name) => {
    dying.set(name, 3);
    const driverId = await driver();
    await ground.pay(week(driverId));
    await ground.untilPayout(week(driverId), ({ status }) => status === 'paid');
    await ground.client.workflow.getHandle(payoutWorkflowId(payoutIdOf(week(driverId)))).result();
    expect(dying.get(name)).toBeLessThanOrEqual(0);
    expect(await transfersOf(driverId)).toHaveLength(1);
    expect(await ground.factTypes(payoutIdOf(week(driverId)))).toEqual(['payout.started', 'payout.paid']);
    await booksAgree();
  },
);

test('an account that is not there, or may not be paid: the money is the driver’s again', async () => {
  for (const [destination, why] of [
    ['acct_none12345', 'resource_missing'],
    ['acct_restricted12345', 'insufficient_capabilities_for_transfer'],
  ] as const) {
    const driverId = await driver();
    await ground.payoutAccount(driverId, destination);
    await ground.pay(week(driverId));
    const { status, reason } = await ground.untilPayout(week(driverId), ended);
    expect([status, reason]).toEqual(['failed', why]);
    expect(await ground.owed(driverId)).toBe(5_000);
    await booksAgree();
  }
});

test('a house that is short of funds at the provider pays when there are some', async () => {
  const driverId = await driver();
  const thereMinor = (await psp.ledger()).currencies['USD']!['balanceMinor']!;
  await ground.earned(driverId, thereMinor);
  const workflow = await ground.pay(week(driverId));
  await eventually(async () => (await cardOf(workflow)).includes('insufficient') || undefined, 30_000);
  await psp.post('/sandbox/funds', { amount: thereMinor, currency: 'usd' });
  await ground.untilPayout(week(driverId), ({ status }) => status === 'paid');
  expect(await transfersOf(driverId)).toHaveLength(1);
  await booksAgree();
});

test('a transfer that is sent back is the driver’s again', async () => {
  const driverId = await driver();
  const workflow = await ground.pay(week(driverId));
  const { transferId } = await ground.untilPayout(week(driverId), ended);
  await workflow.result();
  await psp.stripe.transfers.createReversal(transferId!, { amount: 2_000 });
  await (await ground.payoutNews(week(driverId))).result();
  expect(await ground.owed(driverId)).toBe(2_000);
  await psp.stripe.transfers.createReversal(transferId!);
  await (await ground.payoutNews(week(driverId))).result();
  expect(await ground.payout(week(driverId))).toMatchObject({ status: 'returned', returnedMinor: 5_000 });
  expect(await ground.owed(driverId)).toBe(5_000);
  await booksAgree();
});

/** A ride's captured card, disputed at the rider's bank. */
async function disputed(): Promise<{ rideId: string; disputeId: string }> {
  const rideId = randomUUID();
  const intent = await holdWith(psp.stripe, { amount: 1_500, metadata: { rideId } });
  await psp.stripe.paymentIntents.capture(intent.id);
  await storeIntentId(ground.pool, { paymentId: rideId, purpose: 'hold', intentVersion: 1 }, intent.id);
  await ground.earned(`driver-of-${rideId}`, 1_500);
  const { id } = await psp.post<{ id: string }>('/sandbox/disputes', { paymentIntent: intent.id });
  await ground.disputeNews(id);
  await ground.untilDispute(id, () => true);
  return { rideId, disputeId: id };
}

async function submit(disputeId: string, text: string): Promise<void> {
  const evidenceId = evidenceIdOf(disputeId, text);
  await storeEvidence(ground.pool, { disputeId, evidenceId, text });
  const workflow = ground.client.workflow.getHandle(disputeWorkflowId(disputeId));
  await workflow.executeUpdate(disputeUpdates.submitEvidence, { args: [{ evidenceId, by: 'ops-1' }] });
}

const booked = async (rideId: string): Promise<Record<string, number>> =>
  Object.fromEntries((await balancesOf(ground.pool, rideId)).map((line) => [line.account, line.amountMinor]));

test.each([
  ['won', 'winning_evidence', { disputes: 0, provider_fees: 1_500, provider_clearing: -1_500 }],
  ['lost', 'losing_evidence', { disputes: 0, platform_revenue: 1_500, provider_clearing: -3_000 }],
] as const)('a dispute that is %s moves the money that the provider moves', async (status, text, moved) => {
  const dispute = await disputed();
  await booksAgree();
  await psp.fault({ match: { method: 'POST', path: '/v1/disputes/*' }, kind: 'error500_after' });
  await submit(dispute.disputeId, text);
  await ground.disputeNews(dispute.disputeId);
  await ground.untilDispute(dispute.disputeId, (one) => one.status === status);
  expect(await booked(dispute.rideId)).toMatchObject(moved);
  await booksAgree();
});

test('a dispute whose evidence the bank does not hear in time is lost at the provider, too', async () => {
  const dispute = await disputed();
  const before = psp.clock.now;
  psp.clock.now = new Date(before.getTime() + 10 * 24 * 60 * 60 * 1_000);
  await ground.disputeNews(dispute.disputeId);
  await ground.untilDispute(dispute.disputeId, (one) => one.status === 'lost');
  psp.clock.now = before;
  await booksAgree();
});

test("a dispute's fee is in the currency of our balance, which is not always the rider's", async () => {
  const rideId = randomUUID();
  const intent = await holdWith(psp.stripe, { amount: 1_500, currency: 'isk', metadata: { rideId } });
  await psp.stripe.paymentIntents.capture(intent.id);
  await storeIntentId(ground.pool, { paymentId: rideId, purpose: 'hold', intentVersion: 1 }, intent.id);
  const { id } = await psp.post<{ id: string }>('/sandbox/disputes', { paymentIntent: intent.id });
  const { client } = providerAccess(ground.pool, psp.url);
  // The sandbox has a balance in each currency; an account at Stripe may have one in dollars alone.
  const retrieve = async (disputeId: string) => {
    const dispute = await psp.stripe.disputes.retrieve(disputeId);
    const inDollars = dispute.balance_transactions.map((one) => ({ ...one, currency: 'usd' }));
    return { ...dispute, balance_transactions: inDollars };
  };
  const inDollars = { ...client, disputes: { retrieve } } as unknown as ProviderClient;
  expect(await readDispute({ pool: ground.pool, client: inDollars }, id)).toMatchObject({
    ...{ amountMinor: 15, currency: 'ISK', feeMinor: 1_500, feeCurrency: 'USD' },
  });
});
