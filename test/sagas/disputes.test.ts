import { createHash, randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Dispute, DisputeSeen } from '../../domain/dispute';
import { disputeUpdates } from '../../domain/names';
import { balancesOf } from '../../services/payments/books/ledger';
import { cardOf } from '../support/card';
import { startPayoutGround, type PayoutGround } from '../support/payoutGround';
import { refusalOf } from '../support/paymentSaga';
import { playedDisputes } from '../support/playedDisputes';
import { eventually } from '../support/rideSaga';
import { timeSkippingEnvironment } from '../support/servers';

jest.setTimeout(120_000);

const DAY_MS = 24 * 60 * 60 * 1_000;
const bank = playedDisputes();
let env: TestWorkflowEnvironment;
let ground: PayoutGround;

beforeAll(async () => {
  env = await timeSkippingEnvironment();
  ground = await startPayoutGround({ env, instead: () => bank.activities });
});
afterAll(() => ground?.stop());

/** A dispute of a ride of its own, whose evidence is due in a week. */
async function opened(
  as: Partial<DisputeSeen> = {},
): Promise<{ disputeId: string; rideId: string; workflow: WorkflowHandle }> {
  const [disputeId, rideId] = [`du_${randomUUID().replaceAll('-', '')}`, randomUUID()];
  const evidenceDueAt = new Date((await env.currentTimeMs()) + 7 * DAY_MS).toISOString();
  bank.now(disputeId, { rideId, evidenceDueAt, ...as });
  const workflow = await ground.disputeNews(disputeId);
  await ground.untilDispute(disputeId, () => true);
  return { disputeId, rideId, workflow };
}

const evidence = (words: string) => ({
  evidenceId: createHash('sha256').update(words).digest('hex'),
  by: 'ops-1',
});
const submit = (workflow: WorkflowHandle, words: string): Promise<Dispute> =>
  workflow.executeUpdate<Dispute, [object]>(disputeUpdates.submitEvidence, { args: [evidence(words)] });

const booked = async (rideId: string): Promise<Record<string, number>> =>
  Object.fromEntries(
    (await balancesOf(ground.pool, rideId)).map(({ account, amountMinor }) => [account, amountMinor]),
  );

test('an opened dispute takes amount and fee; one that is won brings the amount back', async () => {
  const { disputeId, rideId, workflow } = await opened();
  expect(await booked(rideId)).toEqual({ disputes: 1_500, provider_fees: 1_500, provider_clearing: -3_000 });
  const after = await submit(workflow, 'the rider was on board');
  expect(after).toMatchObject({
    status: 'under_review',
    evidenceId: evidence('the rider was on board').evidenceId,
  });
  bank.now(disputeId, { stands: 'won' });
  await ground.disputeNews(disputeId);
  expect(await workflow.result()).toBe('won');
  expect(await booked(rideId)).toMatchObject({
    provider_fees: 1_500,
    provider_clearing: -1_500,
    disputes: 0,
  });
  const [row, fold] = await ground.rowAndFold(disputeId, 'dispute');
  expect(row).toEqual(fold);
  expect(row).toMatchObject({ version: 3, status: 'won' });
  const { rows } = await ground.pool.query<{ of: string }>(
    `select distinct headers ->> 'ce_correlationid' as of from outbox where key = $1`,
    [disputeId],
  );
  expect(rows).toEqual([{ of: rideId }]);
});

test('one that is lost is the platform’s loss; a fee that came back is booked', async () => {
  const { disputeId, rideId, workflow } = await opened();
  bank.now(disputeId, { stands: 'lost', feeMinor: 0 });
  await ground.disputeNews(disputeId);
  expect(await workflow.result()).toBe('lost');
  expect(await booked(rideId)).toMatchObject({
    ...{ platform_revenue: 1_500, disputes: 0, provider_fees: 0, provider_clearing: -1_500 },
  });
});

test('evidence is heard once: a repeat is the same, another is refused with the reason', async () => {
  const { workflow } = await opened();
  const first = await submit(workflow, 'one');
  expect(await submit(workflow, 'one')).toEqual(first);
  expect(bank.heard.filter((id) => id === evidence('one').evidenceId)).toHaveLength(1);
  expect(await refusalOf(submit(workflow, 'two'))).toBe('evidence_not_possible');
});

test.each([{ by: 'ops-1' }, { ...evidence('by mail'), by: 'jane@corp.com' }])(
  'evidence %j cannot be recorded: the bank never hears it',
  async (order) => {
    const { workflow } = await opened();
    const heardBefore = bank.heard.length;
    const submitted = workflow.executeUpdate(disputeUpdates.submitEvidence, { args: [order] });
    expect(await refusalOf(submitted)).toBe('argument_not_valid');
    expect(bank.heard).toHaveLength(heardBefore);
  },
);

test('evidence of two operators at once: one is heard', async () => {
  const { workflow } = await opened();
  const outcomes = await Promise.allSettled([submit(workflow, 'ours'), submit(workflow, 'mine')]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const both = [evidence('ours').evidenceId, evidence('mine').evidenceId];
  expect(bank.heard.filter((id) => both.includes(id))).toHaveLength(1);
});

test('evidence that the provider refuses is not submitted, and may be tried again', async () => {
  const { workflow } = await opened();
  bank.next(() => Promise.resolve({ submitted: false, reason: 'too long' }));
  expect(await refusalOf(submit(workflow, 'three'))).toBe('evidence_not_possible');
  expect(await submit(workflow, 'shorter')).toMatchObject({ status: 'under_review' });
});

test('after the deadline no evidence is heard, and the bank’s decision is waited for, without news of it', async () => {
  const { disputeId, workflow } = await opened();
  expect(await cardOf(workflow)).toContain('waits for: evidence, until');
  await env.sleep(7 * DAY_MS + 60_000);
  const looked = bank.looks(disputeId);
  await eventually(async () =>
    (await cardOf(workflow)).includes("waits for: the bank's decision") ? true : undefined,
  );
  expect(await refusalOf(submit(workflow, 'late'))).toBe('evidence_not_possible');
  bank.now(disputeId, { stands: 'lost' });
  await env.sleep(DAY_MS);
  expect(await workflow.result()).toBe('lost');
  expect(bank.looks(disputeId)).toBeGreaterThan(looked);
});

test('news in any order, doubled, and after the end changes nothing', async () => {
  const disputeId = `du_${randomUUID().replaceAll('-', '')}`;
  const rideId = randomUUID();
  bank.now(disputeId, { rideId, stands: 'won', feeMinor: 0 });
  const workflow = await ground.disputeNews(disputeId);
  await ground.disputeNews(disputeId);
  expect(await workflow.result()).toBe('won');
  const again = await ground.disputeNews(disputeId);
  expect(await again.result()).toBe('won');
  expect(await ground.factTypes(disputeId)).toEqual(['dispute.opened', 'dispute.won']);
  expect(await booked(rideId)).toMatchObject({ disputes: 0, provider_clearing: 0 });
});

describe('an inquiry', () => {
  async function asked() {
    const inquiry = await opened({ stands: 'inquiry', feeMinor: 0 });
    expect(await ground.untilDispute(inquiry.disputeId, () => true)).toMatchObject({ status: 'inquiry' });
    return inquiry;
  }

  test('is answered, and closed, and books no money', async () => {
    const { disputeId, rideId, workflow } = await asked();
    expect(await cardOf(workflow)).toContain('waits for: evidence, until');
    expect(await submit(workflow, 'the rider was on board')).toMatchObject({ status: 'inquiry_answered' });
    bank.now(disputeId, { stands: 'inquiry_closed' });
    await ground.disputeNews(disputeId);
    expect(await workflow.result()).toBe('inquiry_closed');
    expect(await booked(rideId)).toEqual({});
    expect(await ground.factTypes(disputeId)).toEqual([
      ...['dispute.inquiry_opened', 'dispute.evidence_submitted', 'dispute.inquiry_closed'],
    ]);
    const [row, fold] = await ground.rowAndFold(disputeId, 'dispute');
    expect(row).toEqual(fold);
  });

  test('may become a dispute, which is answered anew', async () => {
    const { disputeId, rideId, workflow } = await asked();
    await submit(workflow, 'the rider was on board');
    bank.now(disputeId, { stands: 'needs_response', feeMinor: 1_500 });
    await ground.disputeNews(disputeId);
    await ground.untilDispute(disputeId, ({ status }) => status === 'needs_response');
    expect(await booked(rideId)).toMatchObject({ disputes: 1_500, provider_fees: 1_500 });
    expect(await submit(workflow, 'the rider was on board')).toMatchObject({ status: 'under_review' });
  });

  test('that is over before anybody has heard of it leaves nothing', async () => {
    const disputeId = `du_${randomUUID().replaceAll('-', '')}`;
    bank.now(disputeId, { rideId: randomUUID(), stands: 'inquiry_closed' });
    expect(await (await ground.disputeNews(disputeId)).result()).toBe('no_dispute');
    expect(await ground.factTypes(disputeId)).toEqual([]);
  });
});

test('a dispute about somebody else’s payment is none of ours', async () => {
  const workflow = await ground.disputeNews('du_unknown');
  expect(await workflow.result()).toBe('no_dispute');
});
