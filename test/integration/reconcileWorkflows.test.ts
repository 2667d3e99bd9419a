import { randomUUID } from 'node:crypto';
import { paymentWorkflowId } from '../../domain/names';
import { getPayment } from '../../services/payments/books/paymentStore';
import { reconcileWith } from '../../tools/cli/reconcile';
import { eventually } from '../support/rideSaga';
import { startReconcileGround, type ReconcileGround } from '../support/reconcileGround';

jest.setTimeout(60_000);

let laterMs = 0;
let ground: ReconcileGround;
beforeAll(async () => {
  ground = await startReconcileGround(() => Date.now() + laterMs);
});
afterEach(() => {
  laterMs = 0;
});
afterAll(() => ground?.stop());

const runs = async (rideId: string): Promise<boolean> =>
  (await ground.saga.handle(rideId).describe()).status.name === 'RUNNING';

/** Goes on to its end, and leaves nothing behind. */
async function paid(rideId: string): Promise<void> {
  await ground.saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
  await ground.untilStatus(rideId, 'captured');
  expect(await ground.psp.openHolds(rideId)).toEqual([]);
  expect(await ground.drifts('provider', rideId)).toEqual([]);
}

test('a payment whose workflow is lost is started anew while its ride is under way, and goes on', async () => {
  const rideId = await ground.authorized();
  await ground.saga.handle(rideId).terminate('lost');
  const report = await reconcileWith(ground.reconciler, ground.order({ repairs: true }));
  const finding = report.findings.find(({ drift }) => drift.ids['rideId'] === rideId);
  expect(finding).toMatchObject({
    drift: { kind: 'workflow_missing', says: 'the payment is authorized, and no workflow carries it' },
    tried: 'its workflow was started anew',
    repaired: true,
  });
  expect(await runs(rideId)).toBe(true);
  await paid(rideId);
});

test('so is one whose first card was declined', async () => {
  const rideId = await ground.saga.open({
    method: { type: 'card', token: 'pm_card_visa_chargeDeclinedInsufficientFunds' },
    fallbacks: [{ type: 'card', token: 'pm_card_visa' }],
  });
  await ground.untilTold(rideId);
  await ground.saga.handle(rideId).terminate('lost');
  const [drift] = await ground.drifts('workflows', rideId);
  expect(await ground.reconciler.repair(drift!.repair!, ground.order())).toBe(
    'its workflow was started anew',
  );
  await paid(rideId);
});

test('one whose hold was made anew is not: it is reset, and goes on', async () => {
  const fallbacks = [{ type: 'card', token: 'pm_card_mastercard' }] as const;
  const rideId = await ground.saga.open({ fallbacks });
  await ground.untilTold(rideId);
  const before = (await getPayment(ground.pool, rideId))!.intentId!;
  await ground.psp.stripe.paymentIntents.cancel(before);
  await ground.saga.news(rideId, 'payment_intent.canceled');
  await eventually(async () => (await getPayment(ground.pool, rideId))?.intentId !== before || undefined);
  const handle = ground.saga.handle(rideId);
  await eventually(async () => {
    const { pendingWorkflowTask, pendingActivities } = (await handle.describe()).raw;
    return (!pendingWorkflowTask && !pendingActivities?.length) || undefined;
  });
  await handle.terminate('lost');
  const [drift] = await ground.drifts('workflows', rideId);
  expect(drift).toMatchObject({
    kind: 'workflow_missing',
    action: expect.stringContaining('reset') as string,
  });
  expect(drift!.repair).toBeUndefined();
  expect(await ground.reconciler.repair({ does: 'start_payment', rideId }, ground.order())).toMatch(
    /^not started/,
  );

  const { events = [] } = await handle.fetchHistory();
  const lastTask = events!.findLast(({ workflowTaskCompletedEventAttributes: task }) => task)!;
  await ground.saga.client.workflowService.resetWorkflowExecution({
    ...{ namespace: 'default', workflowExecution: { workflowId: handle.workflowId } },
    ...{ requestId: randomUUID(), workflowTaskFinishEventId: lastTask.eventId!, reason: 'lost' },
  });
  await paid(rideId);
});

test('one whose ride is over is named, and left to an operator', async () => {
  const rideId = await ground.authorized();
  await ground.saga.handle(rideId).terminate('lost');
  await ground.saga.endRide(rideId);
  await ground.saga.ride(rideId).result();
  const report = await reconcileWith(ground.reconciler, ground.order({ repairs: true }));
  const finding = report.findings.find(({ drift }) => drift.ids['rideId'] === rideId)!;
  expect(finding.drift).toMatchObject({ kind: 'workflow_missing' });
  expect(finding.drift.repair).toBeUndefined();
  expect(finding.repaired).toBe(false);
  expect(await runs(rideId)).toBe(false);
});

test('a payment that is not settled long after its ride', async () => {
  const rideId = await ground.authorized();
  await ground.saga.endRide(rideId);
  await ground.saga.ride(rideId).result();
  expect(await ground.drifts('workflows', rideId)).toEqual([]);
  laterMs = 11 * 60_000;
  expect(await ground.drifts('workflows', rideId)).toMatchObject([
    { kind: 'payment_overdue', repair: { does: 'tell_workflow', workflowId: paymentWorkflowId(rideId) } },
  ]);
});

test('a debt is open for as long as it is one: its workflow is not left over, and is missed where it is gone', async () => {
  const rideId = await ground.authorized();
  const { intentId, currency } = (await getPayment(ground.pool, rideId))!;
  await ground.commit(rideId, {
    ...{ type: 'payment.captured', at: '2026-03-01T12:00:00.000Z' },
    data: {
      ...{ intentId: intentId!, amountMinor: 1_500, owedMinor: 2_100, currency },
      ...{ driverId: 'driver-1', commissionMinor: 300 },
    },
  });
  await ground.age(rideId, 25 * 60);
  await ground.saga.endRide(rideId);
  await ground.saga.ride(rideId).result();
  laterMs = 26 * 60 * 60_000;
  expect(await ground.drifts('workflows', rideId)).toEqual([]);
  await ground.saga.handle(rideId).terminate('taken for left over');
  const [drift, ...others] = await ground.drifts('workflows', rideId);
  expect(others).toEqual([]);
  expect(drift).toMatchObject({
    kind: 'workflow_missing',
    says: 'the payment is captured, USD 6.00 are owed, and no workflow carries it',
  });
});

test('a workflow that has nothing more to do, and one whose payment was never opened', async () => {
  const [refundable, over, opened] = [
    await ground.captured(),
    await ground.captured(),
    await ground.authorized(),
  ];
  await ground.age(refundable, 60);
  await ground.age(over, 25 * 60);
  await ground.byHand.query('delete from payments where payment_id = $1', [opened]);
  laterMs = 2 * 60_000;
  // Visibility is a moment late.
  for (let looks = 0; looks < 100; looks += 1)
    if ((await ground.drifts('workflows', over, opened)).length === 2) break;
  const drifts = await ground.drifts('workflows', refundable, over, opened);
  expect(drifts).toHaveLength(2);
  expect(drifts).toContainEqual(
    expect.objectContaining({
      kind: 'workflow_left_over',
      ids: { rideId: over, workflowId: paymentWorkflowId(over) },
    }),
  );
  expect(drifts).toContainEqual(
    expect.objectContaining({ says: 'a workflow runs for a payment that was never opened' }),
  );
});
