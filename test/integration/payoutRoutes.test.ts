import { randomUUID } from 'node:crypto';
import { standardPolicies } from '../../domain/policies';
import { payoutAccountId } from '../../domain/names';
import { stepsOf } from '../../platform/outbox';
import { disputeRoutes } from '../../services/payments/routes/disputeRoutes';
import { payoutRoutes } from '../../services/payments/routes/payoutRoutes';
import { ownNamespace } from '../support/apiGround';
import { startPayoutGround, type PayoutGround } from '../support/payoutGround';
import { playedDisputes } from '../support/playedDisputes';
import { playedTransfers } from '../support/playedTransfers';
import { serveRoutes, type ServedRoutes } from '../support/routes';
import { existingEnvironment } from '../support/servers';

const DAY_MS = 24 * 60 * 60 * 1_000;
const transfers = playedTransfers();
const bank = playedDisputes();
let ground: PayoutGround;
let routes: ServedRoutes;
/** What the gateway's clock says; the dispute's own clock is the server's. */
let nowMs: () => number = Date.now;

beforeAll(async () => {
  ground = await startPayoutGround({
    env: await existingEnvironment(await ownNamespace()),
    instead: () => ({ ...transfers.activities, ...bank.activities }),
  });
  const { pool: payments, client: temporal } = ground;
  routes = await serveRoutes('ops-1', (mount) => {
    payoutRoutes(mount, { payments, policies: standardPolicies, topicPrefix: '', now: () => nowMs() });
    disputeRoutes(mount, { payments, temporal, deadlineMs: 5_000, now: () => nowMs() });
  });
});
beforeEach(() => void (nowMs = Date.now));
afterAll(async () => {
  await routes?.close();
  await ground?.stop();
});

const accountPath = '/v1/drivers/me/payout-account';

test('a driver says where payouts go, and sees what is owed and what was paid', async () => {
  const caller = `driver-${randomUUID()}`;
  expect(await routes.call('GET', '/v1/drivers/me/earnings', { as: caller })).toEqual({
    status: 200,
    body: { balances: [], payoutAccount: null, payouts: [] },
  });
  const body = { destination: 'acct_1OldAccount' };
  expect(await routes.call('PUT', accountPath, { as: caller, body })).toEqual({ status: 200, body });
  const destination = 'acct_1NewAccount';
  await routes.call('PUT', accountPath, { as: caller, body: { destination } });
  await ground.earned(caller, 5_000);
  await ground.batch('2026-W09');
  const due = { driverId: caller, currency: 'USD', period: '2026-W09' };
  const { payoutId } = await ground.untilPayout(due, ({ status }) => status === 'paid');
  await ground.earned(caller, -400);
  await ground.earned(caller, 140, 'JPY');
  const { body: earnings } = await routes.call('GET', '/v1/drivers/me/earnings', { as: caller });
  expect(earnings).toMatchObject({ payoutAccount: destination });
  expect(earnings['balances']).toEqual(
    expect.arrayContaining([
      { currency: 'JPY', amountMinor: 140, payoutMinimumMinor: 150 },
      { currency: 'USD', amountMinor: -400, payoutMinimumMinor: 100 },
    ]),
  );
  const paid = { payoutId, period: '2026-W09', amountMinor: 5_000, currency: 'USD', status: 'paid' };
  expect(earnings['payouts']).toEqual([{ ...paid, returnedMinor: 0, destination, reason: null }]);
});

test('each change of where payouts go is a fact, once, and in order however many come at once', async () => {
  const caller = `driver-${randomUUID()}`;
  const say = (destination: string) => routes.call('PUT', accountPath, { as: caller, body: { destination } });
  await Promise.all([say('acct_1OldAccount'), say('acct_1OldAccount'), say('acct_1OldAccount')]);
  await say('acct_1NewAccount');
  await Promise.all([say('acct_1OldAccount'), say('acct_1OldAccount')]);
  const facts = await stepsOf<{ type: string; data: unknown }>(ground.pool, payoutAccountId(caller));
  const change = (previousDestination: string | null, destination: string) => ({
    type: 'payout_account.changed',
    data: { driverId: caller, destination, previousDestination },
  });
  expect(facts.map(({ version, fact: { type, data } }) => ({ version, type, data }))).toEqual(
    [
      change(null, 'acct_1OldAccount'),
      change('acct_1OldAccount', 'acct_1NewAccount'),
      change('acct_1NewAccount', 'acct_1OldAccount'),
    ].map((fact, i) => ({ version: i + 1, ...fact })),
  );
});

test.each([
  { destination: '4242424242424242' },
  { destination: 'acct_4242424242424242' },
  { destination: 'DE89 3704 0044 0532 0130 00' },
  { destination: 'acct_' },
  { destination: `acct_${'a'.repeat(65)}` },
  { destination: 'acct_1NewAccount', iban: 'DE89370400440532013000' },
  {},
])('%j is no account at the provider, and nothing is written', async (body) => {
  const caller = `driver-${randomUUID()}`;
  expect(await routes.call('PUT', accountPath, { as: caller, body })).toMatchObject({
    status: 400,
    body: { code: 'validation_failed' },
  });
  const { rows } = await ground.pool.query('select 1 from payout_accounts where driver_id = $1', [caller]);
  expect(rows).toEqual([]);
});

async function opened(dueInMs = 7 * DAY_MS): Promise<string> {
  const disputeId = `du_${randomUUID().replaceAll('-', '')}`;
  const evidenceDueAt = new Date(Date.now() + dueInMs).toISOString();
  bank.now(disputeId, { rideId: randomUUID(), evidenceDueAt });
  await ground.disputeNews(disputeId);
  await ground.untilDispute(disputeId, () => true);
  return disputeId;
}

const submit = (disputeId: string, text: unknown) =>
  routes.call('POST', `/v1/ops/disputes/${disputeId}/evidence`, { body: { text } });

test('disputes are listed by their deadline; an operator’s evidence is heard once', async () => {
  const [later, sooner] = [await opened(9 * DAY_MS), await opened(2 * DAY_MS)];
  const listed = async (query = '') => {
    const { body } = await routes.call('GET', `/v1/ops/disputes${query}`);
    return (body['disputes'] as { disputeId: string }[]).map(({ disputeId }) => disputeId);
  };
  expect((await listed()).filter((id) => [later, sooner].includes(id))).toEqual([sooner, later]);
  expect(await listed('?status=won')).not.toContain(sooner);
  expect((await routes.call('GET', '/v1/ops/disputes?status=nonsense')).status).toBe(400);

  const first = await submit(later, 'The rider was on board from 12:00 to 12:20.');
  expect(first).toMatchObject({
    status: 200,
    body: { status: 'under_review', hasEvidence: true, workflowId: `dispute-${later}` },
  });
  expect(await submit(later, 'The rider was on board from 12:00 to 12:20.')).toEqual(first);
  expect(await submit(later, 'And the driver was kind.')).toMatchObject({
    status: 409,
    body: { code: 'evidence_not_possible', detail: 'Evidence was submitted before: it is heard once.' },
  });
  expect(await listed('?status=under_review')).toContain(later);
});

test('after the deadline and after the decision no evidence is heard, nor of a dispute that is not there', async () => {
  const disputeId = await opened();
  nowMs = () => Date.now() + 8 * DAY_MS;
  expect(await submit(disputeId, 'late')).toMatchObject({
    status: 409,
    body: { code: 'evidence_not_possible', detail: 'The time for evidence is over.' },
  });
  nowMs = Date.now;
  bank.now(disputeId, { stands: 'lost' });
  await ground.disputeNews(disputeId);
  await ground.untilDispute(disputeId, ({ status }) => status === 'lost');
  expect(await submit(disputeId, 'too late')).toMatchObject({
    status: 409,
    body: { code: 'evidence_not_possible', detail: 'The bank has decided.', disputeStatus: 'lost' },
  });
  expect(await submit('du_unknown', 'what')).toMatchObject({
    status: 404,
    body: { code: 'dispute_not_found' },
  });
});

test.each(['', ' '.repeat(5_001), 7, 'paid with 4242 4242 4242 4242'])('%j is no evidence', async (text) => {
  expect(await submit(await opened(), text)).toMatchObject({
    status: 400,
    body: { code: 'validation_failed' },
  });
});

test('what was written for the bank is in no fact and no history', async () => {
  const disputeId = await opened();
  await submit(disputeId, 'Mrs Seeded Words was on board.');
  const { rows } = await ground.pool.query('select 1 from outbox where value::text like $1', ['%Seeded%']);
  expect(rows).toEqual([]);
  const history = await ground.client.workflow.getHandle(`dispute-${disputeId}`).fetchHistory();
  const bytes = history.events!.flatMap((event) =>
    JSON.stringify(event, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
    ),
  );
  expect(bytes.join('')).toContain('submitEvidence');
  expect(bytes.join('')).not.toContain('Seeded');
});
