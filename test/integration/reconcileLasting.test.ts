import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createReconciliationActivities } from '../../activities/payments/reconciliation';
import { standardPolicies } from '../../domain/policies';
import { reconcile, type Found, type ReconciliationOrder } from '../../domain/reconcile';
import type { PaymentFact } from '../../domain/paymentFacts';
import type { CheckName, Drift } from '../../domain/reconciliation';
import { createFactProducer } from '../../platform/kafka';
import { createProviderClient } from '../../services/payments/provider/client';
import { getRun } from '../../services/payments/reconciliation/runs';
import { factRecord, quiet } from '../support/backbone';
import { startReconcileGround, type ReconcileGround } from '../support/reconcileGround';

jest.setTimeout(90_000);

let ground: ReconcileGround;
beforeAll(async () => {
  ground = await startReconcileGround();
});
afterAll(() => ground?.stop());

/** A run of some checks. */
async function reconciled(
  checks: readonly CheckName[],
  changes: Partial<ReconciliationOrder>,
  betweenLooks = () => Promise.resolve(),
) {
  const order = ground.order({ settleMs: 1, ...changes });
  const { reconciler } = ground;
  const report = await reconcile(order, {
    look: async (check) =>
      checks.includes(check) ? reconciler.check(check, order) : { unseen: 'it was not asked for' },
    wait: betweenLooks,
    repair: () => Promise.reject(new Error('impossible: nothing was to be repaired')),
    recordFound: (_order, found) => reconciler.recordFound(order, found),
    recordFinished: (finished, compared) => reconciler.recordFinished(finished, compared),
  });
  expect(report.unseen).toHaveLength(4 - checks.length);
  return report;
}

const fromNowOn = () => ({ since: new Date().toISOString(), resumes: true });

/** What a run tells of these that looks at what has changed from now on, and where the last one has ended. */
async function told(
  checks: readonly CheckName[],
  ...ids: string[]
): Promise<{ told: unknown[]; left: number }> {
  const { runId, findings } = await reconciled(checks, fromNowOn());
  const isOurs = (of: Readonly<Record<string, string>>) =>
    Object.values(of).some((id) => ids.some((own) => id.includes(own)));
  const { rows } = await ground.pool.query<{ fact: { type: string; data: { ids: Record<string, string> } } }>(
    `select fact from steps where aggregate_id = $1 and fact_type like 'reconciliation.drift%' order by version`,
    [runId],
  );
  return {
    told: rows.map(({ fact }) => ({ type: fact.type, ...fact.data })).filter((fact) => isOurs(fact.ids)),
    left: findings.filter(({ drift }) => isOurs(drift.ids)).length,
  };
}

const found = { type: 'reconciliation.drift_found' };
const ended = { type: 'reconciliation.drift_ended', repaired: false };

test('a row by hand: told once, again when it is another drift, and when it has ended', async () => {
  const rideId = await ground.captured();
  await ground.relayed();
  const tipped = (minor: number) =>
    ground.byHand.query(
      `update payments set state = jsonb_set(state, '{tipMinor}', $2::jsonb) where payment_id = $1`,
      [rideId, minor],
    );
  await tipped(1);
  // Nothing of it has changed since: a first run looks further back.
  await reconciled(['books'], {});
  expect(await told(['books'], rideId)).toEqual({ told: [], left: 1 });
  await tipped(2);
  expect(await told(['books'], rideId)).toMatchObject({ told: [{ ...found, ids: { rideId } }], left: 1 });
  await tipped(0);
  expect(await told(['books'], rideId)).toMatchObject({ told: [{ ...ended, kind: 'row_differs' }], left: 0 });
  expect(await told(['books'], rideId)).toEqual({ told: [], left: 0 });
});

test('money of nobody’s, and a booking of nothing, are looked at for as long as they are there', async () => {
  const [rideId, stepId] = [randomUUID(), `${randomUUID()}/nobody/0`];
  const { id } = await ground.psp.stripe.paymentIntents.create({
    ...{ amount: 700, currency: 'usd', capture_method: 'manual', confirm: true, off_session: true },
    ...{ payment_method: 'pm_card_visa', allowed_payment_method_types: ['card'], metadata: { rideId } },
  });
  await ground.byHand.query(
    `insert into ledger_transactions (transaction_id, step_id, payment_id, kind, recorded_at)
     values ('01000000-0000-7000-8000-000000000000', $1, $2, 'payment.captured', now())`,
    [stepId, rideId],
  );
  await ground.byHand.query(
    `insert into ledger_entries (transaction_id, account, currency, amount_minor)
     values ('01000000-0000-7000-8000-000000000000', 'disputes', 'CHF', 7)`,
  );
  await reconciled(['books', 'provider'], { since: '1990-01-01T00:00:00.000Z' });
  // The provider’s clock stands in March: it is not listed any more.
  expect(await told(['books', 'provider'], id, stepId)).toEqual({ told: [], left: 2 });
  await ground.psp.stripe.paymentIntents.cancel(id);
  await ground.byHand.query('delete from ledger_transactions where step_id = $1', [stepId]);
  const last = await told(['books', 'provider'], id, stepId);
  expect(last.told).toMatchObject([
    { ...ended, kind: 'booking_unfounded' },
    { ...ended, kind: 'intent_unknown' },
  ]);
  expect(last.left).toBe(0);
});

describe('the log', () => {
  const at = '2026-03-01T12:00:00.000Z';
  const tip = {
    type: 'payment.tip_charged',
    at,
    data: { intentId: 'pi_none', tipMinor: 250, currency: 'USD', driverId: 'driver-1' },
  } as const satisfies PaymentFact;
  async function send(key: string, sequence: number, type: string, value: object): Promise<void> {
    const producer = createFactProducer(ground.kafka, { log: quiet });
    const record = factRecord(ground.topic, key, sequence, value);
    await producer.send([{ ...record, headers: { ...record.headers, ce_id: `${type}/${key}/${sequence}` } }]);
    await producer.disconnect();
  }
  const logged = async (ids: string[], resumes = true) => {
    const order = ground.order({
      resumes,
      since: resumes ? new Date().toISOString() : '2026-01-01T00:00:00.000Z',
    });
    const { drifts, compared } = await ground.reconciler.check('log', order);
    return {
      kinds: drifts
        .filter((drift) => ids.some((id) => drift.ids['factId']!.includes(id)))
        .map(({ kind }) => kind),
      order,
      compared,
    };
  };

  /** Ends a run that has told nothing of what it has seen: only another look at it could tell. */
  async function finish({ order, compared }: Awaited<ReturnType<typeof logged>>): Promise<void> {
    const { runId, since } = order;
    await ground.reconciler.recordFound(order, { drifts: [], whole: [] });
    await ground.reconciler.recordFinished({ runId, since, findings: [], unseen: [] }, compared);
  }

  test('is read on from where the last run has ended, young facts once more', async () => {
    const before = await ground.captured();
    await ground.relayed();
    await ground.age(before, 5);
    await send(before, 9, 'payment.voided', { intentId: null });
    const young = await ground.captured();
    await ground.relayed();
    const first = await logged([before, young], false);
    expect(first.kinds).toEqual(['fact_unfounded_on_log']);
    await finish(first);
    await send(young, 9, 'payment.voided', { intentId: null });
    await ground.age(young, 5);
    expect((await logged([before, young])).kinds).toEqual(['fact_unfounded_on_log']);
    expect((await logged([before, young], false)).kinds).toHaveLength(2);
  });

  /** A payment of two tips, the later of which alone is on the log, since long. */
  async function withoutTheFirstTip(): Promise<{ rideId: string; factId: string }> {
    const rideId = await ground.captured();
    await ground.relayed();
    await ground.commit(rideId, tip);
    await ground.commit(rideId, { ...tip, data: { ...tip.data, tipMinor: 300 } });
    await send(rideId, 5, tip.type, { ...tip.data, tipMinor: 300 });
    await ground.age(rideId, 5);
    return { rideId, factId: `${tip.type}/${rideId}/4` };
  }

  test('what comes too late between two looks of a run is told by the next one', async () => {
    const { rideId, factId } = await withoutTheFirstTip();
    let sent = false;
    const { findings } = await reconciled(['log'], fromNowOn(), async () => {
      if (!sent) await send(rideId, 4, tip.type, tip.data);
      sent = true;
    });
    expect(findings.filter(({ drift }) => drift.ids['factId'] === factId)).toEqual([]);
    expect(await told(['log'], factId)).toMatchObject({ told: [{ ...found, kind: 'facts_out_of_order' }] });
  });

  test('what was missing is told until it is there, and then that it came too late', async () => {
    const { rideId, factId } = await withoutTheFirstTip();
    const missing = { kind: 'fact_missing_on_log', ids: { key: rideId, factId } };
    expect(await told(['log'], factId)).toMatchObject({ told: [{ ...found, ...missing }], left: 1 });
    expect(await told(['log'], factId)).toEqual({ told: [], left: 1 });
    await send(rideId, 4, tip.type, tip.data);
    const late = await told(['log'], factId);
    expect(late.told).toMatchObject([
      { ...found, kind: 'facts_out_of_order' },
      { ...ended, ...missing },
    ]);
    // What is wrong on the log is so for ever: it is left when the run looks back no further.
    expect(await told(['log'], factId)).toMatchObject({
      told: [{ ...ended, kind: 'facts_out_of_order' }],
      left: 0,
    });
  });
});

test('a run whose workflow is of before logs were read on goes to its end', async () => {
  const { psp, pool, kafka, topicPrefix, order } = ground;
  const activities = createReconciliationActivities({
    ...{ pool, kafka, topicPrefix, policies: standardPolicies, taskQueue: ground.saga.taskQueue },
    provider: createProviderClient({ apiKey: 'sk_test_hailway', apiBase: psp.url }),
  });
  const rideId = await ground.voided();
  const { id } = await psp.stripe.paymentIntents.create({
    ...{ amount: 700, currency: 'usd', capture_method: 'manual', confirm: true, off_session: true },
    ...{ payment_method: 'pm_card_visa', allowed_payment_method_types: ['card'], metadata: { rideId } },
  });
  const { resumes: _, ...older } = order();
  const ofBefore = older as ReconciliationOrder;
  const check = 'provider' as const;
  const seen: unknown = await new MockActivityEnvironment().run(activities.lookForDrift, {
    ...ofBefore,
    check,
  });
  const found = seen as Drift[];
  expect(found.map(({ ids }) => ids)).toContainEqual(expect.objectContaining({ intentId: id }));
  await activities.recordDriftFound({ ...ofBefore, found: found as unknown as Found });
  const findings = found.map((drift) => ({ drift, repaired: false }));
  await activities.recordReconciled({ runId: older.runId, since: older.since, findings, unseen: [] });
  expect(await getRun(pool, older.runId)).toMatchObject({ found: found.length, unseen: [] });
});
