import { randomUUID } from 'node:crypto';
import { Client, type WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import {
  createDisputeActivities,
  type DisputeProvider,
  type DisputeTransitions,
} from '../../activities/payments/disputes';
import {
  createPayoutActivities,
  type PayoutProvider,
  type PayoutReads,
  type PayoutTransitions,
} from '../../activities/payments/payouts';
import { foldDispute, type Dispute, type DisputeFact } from '../../domain/dispute';
import { driverAccount } from '../../domain/ledger';
import { disputeWorkflowId, payoutWorkflowId, providerNews, workflowTypes } from '../../domain/names';
import { foldPayout, type Payout, type PayoutFact } from '../../domain/payout';
import { standardPolicies, type Policies } from '../../domain/policies';
import type {
  DisputeStart,
  PayoutBatchStart,
  PayoutDue,
  PayoutStart,
  ProviderNews,
} from '../../domain/sagas';
import { stepsOf } from '../../platform/outbox';
import { withTransaction, type Pool } from '../../platform/postgres';
import { getDispute } from '../../services/payments/books/disputeStore';
import { balances, book } from '../../services/payments/books/ledger';
import { changePayoutAccount } from '../../services/payments/books/payoutAccounts';
import { getPayout, payoutIdOf } from '../../services/payments/books/payoutStore';
import type { ProviderClient } from '../../services/payments/provider/client';
import { testBundle } from './bundles';
import { paymentsDatabase } from './payments';
import { eventually } from './rideSaga';
import { vaultInMemory } from '../../tools/vaultInMemory';

export type PayoutActivities = PayoutTransitions & PayoutReads & PayoutProvider;
export type DisputeActivities = DisputeTransitions & DisputeProvider;

export interface GroundOptions {
  readonly env: TestWorkflowEnvironment;
  /** The provider's client for those who have one; what is played takes the place of its calls. */
  readonly provider?: (pool: Pool) => ProviderClient;
  /** Called with the database before anything else begins. */
  readonly before?: (pool: Pool) => Promise<void>;
  /** In the place of the activities of these names. */
  readonly instead?: (real: PayoutActivities & DisputeActivities) => object;
}

/** A batch that has ended. */
export interface BatchRun {
  readonly due: number;
  readonly firstRun: WorkflowHandle;
  readonly lastRun: WorkflowHandle;
}

/** Disputes and payouts as their workflows carry them, on real books in a real Postgres. */
export interface PayoutGround {
  readonly pool: Pool;
  readonly client: Client;
  /** The driver has earned so much that was not paid out; less than 0 is what the driver owes. */
  earned(driverId: string, amountMinor: number, currency?: string): Promise<void>;
  /** Where the driver's payouts go from now on. */
  payoutAccount(driverId: string, destination: string): Promise<void>;
  /** A new driver with an account, who has earned so much. */
  driver(amountMinor?: number, currency?: string): Promise<string>;
  /** A batch of its own id, to its end: how many payouts were due, and its first and last run. */
  batch(period: string, changes?: Partial<PayoutBatchStart>): Promise<BatchRun>;
  /** A payout of its own, begun as a batch begins it. */
  pay(due: PayoutDue, policies?: Partial<Policies>): Promise<WorkflowHandle>;
  payout(due: PayoutDue): Promise<Payout | null>;
  untilPayout(due: PayoutDue, isSo: (payout: Payout) => boolean): Promise<Payout>;
  /** News of a transfer, as the gateway tells it. */
  payoutNews(due: PayoutDue): Promise<WorkflowHandle>;
  /** What the house owes the driver, in minor units. */
  owed(driverId: string, currency?: string): Promise<number>;
  /** What is on its way, and what the provider has of us. */
  account(account: string, currency?: string): Promise<number>;
  /** News of a dispute, as the gateway tells it. */
  disputeNews(disputeId: string, policies?: Partial<Policies>): Promise<WorkflowHandle>;
  untilDispute(disputeId: string, isSo: (dispute: Dispute) => boolean): Promise<Dispute>;
  /** The row, and what its facts fold to: the same. */
  rowAndFold(id: string, kind: 'payout' | 'dispute'): Promise<[object | null, object | null]>;
  factTypes(id: string): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startPayoutGround({
  env,
  before,
  provider,
  instead,
}: GroundOptions): Promise<PayoutGround> {
  const pool = await paymentsDatabase();
  await before?.(pool);
  const access = {
    pool,
    vault: vaultInMemory(),
    provider: provider === undefined ? (undefined as never) : provider(pool),
  };
  const real = { ...createPayoutActivities(access), ...createDisputeActivities(access) };
  const namespace = env.namespace ?? 'default';
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace,
    workflowBundle: testBundle(),
    taskQueue: 'payments',
    activities: { ...real, ...instead?.(real) },
  });
  const running = worker.run();
  // Not the environment's own client: its pending results would leap years ahead.
  const client = new Client({ connection: env.connection, namespace });
  const news: ProviderNews = { eventId: 'evt_1', type: 'test', objectId: 'object' };
  const tell = (workflowType: string, workflowId: string, start: PayoutStart | DisputeStart) =>
    client.workflow.signalWithStart(workflowType, {
      ...{ workflowId, taskQueue: 'payments', args: [start], signal: providerNews, signalArgs: [news] },
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    });
  const balance = async (account: string, currency: string): Promise<number> =>
    (await balances(pool, { account })).find((line) => line.currency === currency)?.amountMinor ?? 0;
  const ground: PayoutGround = {
    pool,
    client,
    async earned(driverId, amountMinor, currency = 'USD') {
      const stepId = randomUUID();
      const entries = [
        { account: 'provider_clearing', amountMinor, currency } as const,
        { account: driverAccount(driverId), amountMinor: -amountMinor, currency },
      ];
      const recordedAt = new Date().toISOString();
      const booking = { stepId, paymentId: randomUUID(), kind: 'payment.captured', recordedAt, entries };
      await withTransaction(pool, (tx) => book(tx, booking));
    },
    payoutAccount: (driverId, destination) =>
      changePayoutAccount(pool, { driverId, destination, at: new Date().toISOString() }),
    async driver(amountMinor = 5_000, currency = 'USD') {
      const driverId = `driver-${randomUUID()}`;
      await ground.payoutAccount(driverId, `acct_${driverId.replaceAll('-', '')}`);
      if (amountMinor !== 0) await ground.earned(driverId, amountMinor, currency);
      return driverId;
    },
    async batch(period, changes = {}) {
      const start: PayoutBatchStart = {
        ...{ policies: standardPolicies, pageSize: 100, pagesPerRun: 50, payoutsPerSecond: 1_000 },
        ...{ period, ...changes },
      };
      const workflowId = `payouts-${randomUUID()}`;
      const options = { workflowId, taskQueue: 'payments', args: [start] };
      const begun = await client.workflow.start(workflowTypes.payoutBatch, options);
      const due = (await begun.result()) as number;
      const first = client.workflow.getHandle(workflowId, begun.firstExecutionRunId);
      return { due, firstRun: first, lastRun: client.workflow.getHandle(workflowId) };
    },
    pay: (due, policies = {}) => {
      const payoutId = payoutIdOf(due);
      const start: PayoutStart = { payoutId, policies: { ...standardPolicies, ...policies }, due };
      const workflowId = payoutWorkflowId(payoutId);
      return client.workflow.start(workflowTypes.payout, {
        workflowId,
        taskQueue: 'payments',
        args: [start],
      });
    },
    payout: (due) => getPayout(pool, payoutIdOf(due)),
    untilPayout: (due, isSo) =>
      eventually(async () => {
        const payout = await ground.payout(due);
        return payout && isSo(payout) ? payout : undefined;
      }, 30_000),
    payoutNews(due) {
      const payoutId = payoutIdOf(due);
      const start = { payoutId, policies: standardPolicies, due: null };
      return tell(workflowTypes.payout, payoutWorkflowId(payoutId), start);
    },
    owed: async (driverId, currency = 'USD') => 0 - (await balance(driverAccount(driverId), currency)),
    account: (account, currency = 'USD') => balance(account, currency),
    disputeNews: (disputeId, policies = {}) =>
      tell(workflowTypes.dispute, disputeWorkflowId(disputeId), {
        ...{ disputeId, policies: { ...standardPolicies, ...policies } },
      }),
    untilDispute: (disputeId, isSo) =>
      eventually(async () => {
        const dispute = await getDispute(pool, disputeId);
        return dispute && isSo(dispute) ? dispute : undefined;
      }, 30_000),
    async rowAndFold(id, kind) {
      const steps = await stepsOf(pool, id);
      const facts = steps.map(({ fact }) => fact as unknown);
      if (kind === 'dispute')
        return [
          await getDispute(pool, id),
          (facts as DisputeFact[]).reduce<Dispute | null>(foldDispute, null),
        ];
      return [await getPayout(pool, id), (facts as PayoutFact[]).reduce<Payout | null>(foldPayout, null)];
    },
    factTypes: async (id) => (await stepsOf(pool, id)).map(({ factType }) => factType),
    async stop() {
      worker.shutdown();
      await running;
      await env.teardown();
      await pool.end();
    },
  };
  return ground;
}
