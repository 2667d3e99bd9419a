import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { Client, WithStartWorkflowOperation, type WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { createPaymentActivities, type PaymentTransitions } from '../../activities/payments';
import type { ReconciliationActivities } from '../../activities/payments/reconciliation';
import { lateRefundsWorkflowId, paymentUpdates, providerNews, workflowTypes } from '../../domain/names';
import type { RefundDiffers } from '../../domain/paymentCalls';
import type { PaymentFact, PaymentFactData } from '../../domain/paymentFacts';
import { standardPolicies } from '../../domain/policies';
import type { Drift } from '../../domain/reconciliation';
import type { LateRefundsStart, OperatorsWord, ReconciliationStart } from '../../domain/sagas';
import { ownNamespace } from '../support/apiGround';
import { testBundle } from '../support/bundles';
import { commitFacts, paymentOrder, paymentsDatabase } from '../support/payments';
import { existingEnvironment } from '../support/servers';
import { vaultInMemory } from '../../tools/vaultInMemory';

/** What looks at payments when they are over, on a real server; the provider and the checks are played. */
export interface LaterScene {
  readonly client: Client;
  readonly transitions: PaymentTransitions;
  /** Refunds that have failed, as the provider says once. */
  readonly failed: RefundDiffers[];
  /** What looks at the provider find, one after another; nothing from then on. */
  readonly found: Drift[][];
  /** Whether repairs are done, and logs can be read. */
  isUp: boolean;
  stop(): Promise<void>;
}

export async function startLaterScene(): Promise<LaterScene> {
  const env = await existingEnvironment(await ownNamespace());
  const pool = await paymentsDatabase();
  const { transitions } = createPaymentActivities({
    pool,
    vault: vaultInMemory(),
    provider: undefined as never,
  });
  const unlessDown = <T>(answer: T): Promise<T> =>
    scene.isUp ? Promise.resolve(answer) : Promise.reject(ApplicationFailure.nonRetryable('nobody there'));
  const reconciling: ReconciliationActivities = {
    lookForDrift: ({ check }) =>
      check === 'log'
        ? unlessDown({ drifts: [] })
        : Promise.resolve({ drifts: (check === 'provider' && scene.found.shift()) || [] }),
    repairDrift: () => unlessDown('the hold was released'),
    recordDriftFound: () => Promise.resolve(),
    recordReconciled: () => Promise.resolve(),
  };
  const refundsThatDiffer = () => Promise.resolve(scene.failed.splice(0));
  const namespace = env.namespace ?? 'default';
  const worker = await Worker.create({
    ...{ connection: env.nativeConnection, namespace, taskQueue: 'payments' },
    workflowBundle: testBundle(),
    activities: { ...transitions, ...reconciling, refundsThatDiffer },
  });
  const running = worker.run();
  const scene: LaterScene = {
    client: new Client({ connection: env.connection, namespace }),
    ...{ transitions, failed: [], found: [], isUp: true },
    async stop() {
      worker.shutdown();
      await running;
      await env.teardown();
      await pool.end();
    },
  };
  return scene;
}

/** Goes to its end; the answer is what is kept of it. */
type LaterWay = (
  scene: LaterScene,
) => Promise<Partial<Record<'lateRefunds' | 'reconciliation', WorkflowHandle>>>;

const refund = { refundId: 're_1', intentId: 'pi_1', amountMinor: 400, currency: 'USD', reason: 'detour' };

/** A payment of 15 dollars that is over, and of which 4 have gone back in vain; news of that begins its workflow. */
async function refundFailed({ client, transitions, failed }: LaterScene): Promise<string> {
  const order = paymentOrder();
  const { rideId } = order;
  const taken = { intentId: refund.intentId, currency: 'USD', amountMinor: 1_500 };
  const data: Partial<PaymentFactData> = {
    'payment.opened': order,
    'payment.authorized': taken,
    'payment.captured': { ...taken, driverId: 'driver-1', commissionMinor: 300 },
    'payment.refunded': refund,
  };
  const at = new Date().toISOString();
  const facts = Object.entries(data).map(([type, of]) => ({ type, at, data: of }) as PaymentFact);
  await commitFacts(transitions, rideId, 0, facts);
  failed.push({ type: 'payment.refund_failed', data: refund });
  await client.workflow.signalWithStart(workflowTypes.lateRefunds, {
    ...startOf(rideId),
    signal: providerNews,
    signalArgs: [{ eventId: 'evt_1', type: 'refund.failed', objectId: refund.refundId }],
  });
  return rideId;
}

const startOf = (rideId: string) => ({
  workflowId: lateRefundsWorkflowId(rideId),
  taskQueue: 'payments',
  args: [{ rideId, policies: standardPolicies }] as [LateRefundsStart],
});

const drift: Drift = {
  kind: 'hold_left_open',
  ids: { intentId: 'pi_1' },
  ...{ says: 'a hold that nobody uses', action: 'release it' },
  repair: { does: 'cancel_hold', rideId: randomUUID(), intentId: 'pi_1' },
};

/** A run whose looks at the provider find this. */
const reconciled =
  (looks: number, isUp = true): LaterWay =>
  async (scene) => {
    scene.found.splice(0, Infinity, ...Array.from({ length: looks }, () => [drift]));
    scene.isUp = isUp;
    const start: ReconciliationStart = { sinceMs: 3_600_000, repairs: true, settleMs: 50 };
    const reconciliation = await scene.client.workflow.start(workflowTypes.reconciliation, {
      ...{ workflowId: `reconciliation-${randomUUID()}`, taskQueue: 'payments', args: [start] },
    });
    await reconciliation.result();
    return { reconciliation };
  };

/** The ways of what looks at payments later: recorded and replayed beside those of rides. */
export const laterWays: Readonly<Record<string, LaterWay>> = {
  'refund-failed-late': async (scene) => {
    const rideId = await refundFailed(scene);
    const lateRefunds = scene.client.workflow.getHandle(lateRefundsWorkflowId(rideId));
    await lateRefunds.result();
    return { lateRefunds };
  },
  'refund-failed-late-settled': async (scene) => {
    const { client } = scene;
    const rideId = await refundFailed(scene);
    const lateRefunds = client.workflow.getHandle(lateRefundsWorkflowId(rideId));
    await lateRefunds.result();
    const word: OperatorsWord = { outcome: 'happened', evidence: 'bank transfer 7', by: 'operator-1' };
    await client.workflow.executeUpdateWithStart(paymentUpdates.markResolved, {
      startWorkflowOperation: new WithStartWorkflowOperation(workflowTypes.lateRefunds, {
        ...startOf(rideId),
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
      args: [word],
    });
    await lateRefunds.result();
    return { lateRefunds };
  },
  'reconciliation-clean': reconciled(0),
  // The first look, the two that confirm it, and the one after the repair.
  'reconciliation-repaired': reconciled(3),
  'reconciliation-not-repaired': reconciled(9, false),
};
