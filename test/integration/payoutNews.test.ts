import { randomUUID } from 'node:crypto';
import { disputeUpdates, disputeWorkflowId } from '../../domain/names';
import { standardPolicies, type Policies } from '../../domain/policies';
import type { Listening } from '../../platform/http';
import { evidenceIdOf, storeEvidence } from '../../services/payments/books/disputeStore';
import { payoutIdOf } from '../../services/payments/books/payoutStore';
import { storeIntentId } from '../../services/payments/books/paymentStore';
import { createTellNews, type TellNews } from '../../services/payments/news/tellNews';
import { ownNamespace } from '../support/apiGround';
import { eventAddress, openEventDoor } from '../support/eventDoor';
import { startPayoutGround, type PayoutGround } from '../support/payoutGround';
import { providerAccess } from '../support/payments';
import { webhookSecret } from '../support/providerEvents';
import { eventually } from '../support/rideSaga';
import { holdWith, startPsp, type RunningPsp } from '../support/sandboxPsp';
import { existingEnvironment } from '../support/servers';

jest.setTimeout(60_000);

let psp: RunningPsp;
let door: Listening;
let ground: PayoutGround;

/** The provider posts its events to the gateway's door, which tells the workflows: nobody helps. */
beforeAll(async () => {
  let tell: TellNews = () => Promise.reject(new Error('nobody is there yet'));
  ground = await startPayoutGround({
    env: await existingEnvironment(await ownNamespace()),
    provider: (pool) => providerAccess(pool, psp.url).client,
    async before(pool) {
      door = await openEventDoor({ pool, tell: (...news) => tell(...news) });
      const url = eventAddress(door);
      psp = await startPsp({ webhooks: { url, secret: webhookSecret, firstPauseMs: 100 } });
      psp.clock.now = new Date();
    },
  });
  const policies: Policies = { ...standardPolicies, disputeLookMs: 1_000 };
  tell = createTellNews({ pool: ground.pool, temporal: ground.client, policies, deadlineMs: 5_000 });
});
afterEach(() => psp.clearFaults());
afterAll(async () => {
  await ground?.stop();
  await psp?.stop();
  await door?.close();
});

/** A ride's intent, captured. */
async function captured(paymentMethod = 'pm_card_visa'): Promise<string> {
  const rideId = randomUUID();
  const intent = await holdWith(psp.stripe, { payment_method: paymentMethod, metadata: { rideId } });
  await storeIntentId(ground.pool, { paymentId: rideId, purpose: 'hold', intentVersion: 1 }, intent.id);
  await psp.stripe.paymentIntents.capture(intent.id);
  return intent.id;
}

const disputeOf = (intentId: string): Promise<string> =>
  eventually(async () => (await psp.stripe.disputes.list({ payment_intent: intentId })).data[0]?.id);

test.each(['webhook_doubled', 'webhook_reordered'])(
  'a transfer that the bank sends back is the driver’s again, its news %s',
  async (kind) => {
    await psp.post('/sandbox/funds', { amount: 5_000, currency: 'usd' });
    const driverId = await ground.driver(5_000);
    const due = { driverId, currency: 'USD', period: '2026-W09' };
    await (await ground.pay(due)).result();
    await psp.fault({ match: { event: 'transfer.reversed' }, kind, delayMs: 1_000 });
    const { transferId } = (await ground.payout(due))!;
    await psp.stripe.transfers.createReversal(transferId!, { amount: 2_000 });
    await psp.stripe.transfers.createReversal(transferId!, { amount: 3_000 });
    await ground.untilPayout(due, ({ returnedMinor }) => returnedMinor === 5_000);
    expect(await ground.owed(driverId)).toBe(5_000);
    expect((await ground.factTypes(payoutIdOf(due))).filter((type) => type === 'payout.paid')).toHaveLength(
      1,
    );
  },
);

async function submit(disputeId: string, text: string): Promise<void> {
  const evidenceId = evidenceIdOf(disputeId, text);
  await storeEvidence(ground.pool, { disputeId, evidenceId, text });
  await ground.client.workflow
    .getHandle(disputeWorkflowId(disputeId))
    .executeUpdate(disputeUpdates.submitEvidence, { args: [{ evidenceId, by: 'ops-1' }] });
}

test('a card that is disputed as soon as it is charged is heard of, and won by evidence', async () => {
  const disputeId = await disputeOf(await captured('pm_card_createDispute'));
  await ground.untilDispute(disputeId, ({ status }) => status === 'needs_response');
  await submit(disputeId, 'winning_evidence');
  await ground.untilDispute(disputeId, ({ status }) => status === 'won');
});

test('a decision whose news is lost is found by looking', async () => {
  const disputeId = await disputeOf(await captured('pm_card_createDispute'));
  await ground.untilDispute(disputeId, () => true);
  await psp.fault({ match: { event: 'charge.dispute.*' }, kind: 'webhook_lost', times: 10 });
  await psp.post(`/sandbox/disputes/${disputeId}/lose`);
  await ground.untilDispute(disputeId, ({ status }) => status === 'lost');
});

test('a bank that only asks takes nothing until it does, and hears the same words anew then', async () => {
  const clearing = await ground.account('provider_clearing');
  const paymentIntent = await captured();
  const { id } = await psp.post<{ id: string }>('/sandbox/disputes', { paymentIntent, inquiry: true });
  const standsAtBank = async () => (await psp.stripe.disputes.retrieve(id)).status;
  await ground.untilDispute(id, ({ status }) => status === 'inquiry');
  await submit(id, 'the rider was on board');
  expect(await standsAtBank()).toBe('warning_under_review');
  expect(await ground.account('provider_clearing')).toBe(clearing);
  await psp.post(`/sandbox/disputes/${id}/escalate`);
  await ground.untilDispute(id, ({ status }) => status === 'needs_response');
  expect(await ground.account('provider_clearing')).toBe(clearing - 2_500 - 1_500);
  await submit(id, 'the rider was on board');
  expect(await standsAtBank()).toBe('under_review');
});
