import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createReconciliationActivities } from '../../activities/payments/reconciliation';
import { reconciliationSchedule, taskQueues } from '../../domain/names';
import { standardPolicies } from '../../domain/policies';
import type { Reconciliation } from '../../domain/reconciliation';
import type { ReconciliationStart } from '../../domain/sagas';
import { createProviderClient } from '../../services/payments/provider/client';
import { lastRun } from '../../services/payments/reconciliation/runs';
import { prepareSchedules } from '../../tools/stack/schedules';
import { ownNamespace } from '../support/apiGround';
import { cardOf } from '../support/card';
import { startReconcileGround, type ReconcileGround } from '../support/reconcileGround';
import { testBundle } from '../support/bundles';
import { eventually } from '../support/rideSaga';
import { temporalAddress } from '../support/servers';

jest.setTimeout(90_000);

let ground: ReconcileGround;
const stops: (() => unknown)[] = [];
beforeAll(async () => {
  ground = await startReconcileGround();
  stops.push(() => ground.stop());
});
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

test('the Schedule runs the same over everything, and its run is a fact with what it found', async () => {
  const { psp, pool, kafka, topicPrefix } = ground;
  const leftOpen = async (): Promise<string> => {
    const rideId = await ground.voided();
    const { id } = await psp.stripe.paymentIntents.create({
      ...{ amount: 700, currency: 'usd', capture_method: 'manual', confirm: true, off_session: true },
      ...{ payment_method: 'pm_card_visa', allowed_payment_method_types: ['card'], metadata: { rideId } },
    });
    return id;
  };
  const [id, stubborn] = [await leftOpen(), await leftOpen()];
  const address = temporalAddress();
  const namespace = await ownNamespace();
  const nativeConnection = await NativeConnection.connect({ address });
  stops.push(() => nativeConnection.close());
  const connection = await Connection.connect({ address });
  stops.push(() => connection.close());
  const activities = createReconciliationActivities({
    ...{ pool, kafka, topicPrefix, policies: standardPolicies, taskQueue: taskQueues.payments },
    provider: createProviderClient({ apiKey: 'sk_test_hailway', apiBase: psp.url }),
  });
  const worker = await Worker.create({
    ...{ connection: nativeConnection, namespace, taskQueue: taskQueues.payments },
    workflowBundle: testBundle(),
    activities: {
      ...activities,
      repairDrift: (order: Parameters<typeof activities.repairDrift>[0]) =>
        'intentId' in order.repair && order.repair.intentId === stubborn
          ? Promise.reject(new Error('the provider refuses for good'))
          : activities.repairDrift(order),
    },
  });
  const working = worker.run();
  stops.push(() => {
    worker.shutdown();
    return working;
  });

  const { schedule, workflow } = new Client({ connection, namespace });
  await prepareSchedules({ address, namespace, speed: 1 });
  const hourly = schedule.getHandle(reconciliationSchedule.scheduleId);
  // The provider's clock stands in March: what is held there is of long ago.
  await hourly.update(({ action, ...before }) => {
    const [start] = action.args as [ReconciliationStart];
    return {
      ...before,
      action: { ...action, args: [{ ...start, sinceMs: 400 * 86_400_000, settleMs: 100 }] },
    };
  });
  await hourly.trigger();

  const run = await eventually<Reconciliation>(async () => (await lastRun(pool)) ?? undefined, 60_000);
  expect(run).toMatchObject({ found: 2, left: { hold_left_open: 1 }, unseen: [], repairs: true });
  expect((await psp.stripe.paymentIntents.retrieve(id)).status).toBe('canceled');
  const { recentActions } = (await hourly.describe()).info;
  const started = recentActions[0]!.action.workflow;
  const handle = workflow.getHandle(started.workflowId, started.firstExecutionRunId);
  expect(await handle.result()).toBe(1);
  expect(started.firstExecutionRunId).toBe(run.runId);
  expect(await cardOf(handle)).toContain('2 drifts found, 1 left');
});
