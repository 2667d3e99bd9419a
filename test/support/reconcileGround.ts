import { randomUUID } from 'node:crypto';
import { ledgerEntries } from '../../domain/ledger';
import { foldPayment, type Payment } from '../../domain/payment';
import type { PaymentFact } from '../../domain/paymentFacts';
import { standardPolicies } from '../../domain/policies';
import type { ReconciliationOrder } from '../../domain/reconcile';
import type { CheckName, Drift } from '../../domain/reconciliation';
import type { Kafka } from '../../platform/kafka';
import { createPool, withTransaction, type Pool } from '../../platform/postgres';
import { book } from '../../services/payments/books/ledger';
import { createProviderClient } from '../../services/payments/provider/client';
import { createReconciler, type Reconciler } from '../../services/payments/reconciliation/reconciler';
import { getPayment } from '../../services/payments/books/paymentStore';
import { deleteTopics, eventually, testKafka, testTopic, unique } from './backbone';
import { startRelay } from './relayBench';
import { startRealPayments, type RealPayments } from './realPayments';
import { postgresUrl } from './servers';

/** Real payments whose facts go to Kafka, and the reconciliation over all of it. */
export interface ReconcileGround extends RealPayments {
  readonly kafka: Kafka;
  /** Of the payments’ facts. */
  readonly topic: string;
  readonly topicPrefix: string;
  /** The payments database, for who may do everything, its triggers asleep: what only a hand can do. */
  readonly byHand: Pool;
  readonly reconciler: Reconciler;
  /** What a check says of these ids. */
  drifts(check: CheckName, ...ids: string[]): Promise<Drift[]>;
  order(changes?: Partial<ReconciliationOrder>): ReconciliationOrder;
  /** Opens a payment and has it authorized. */
  authorized(): Promise<string>;
  /** The same, and captured: 15 dollars. */
  captured(): Promise<string>;
  /** The same, and released. */
  voided(): Promise<string>;
  /** A fact as the house commits it, but for what is left out. */
  commit(rideId: string, fact: PaymentFact, kept?: { book?: boolean; row?: boolean }): Promise<string>;
  /** Puts what was committed of an aggregate back by so many minutes, once it is settled. */
  age(aggregateId: string, minutes: number): Promise<void>;
  /** Waits until all facts are on the log. */
  relayed(): Promise<void>;
}

/** The provider's clock stands in March of 2026 in tests; this is before everything. */
export const since = '2026-01-01T00:00:00.000Z';

export async function startReconcileGround(now?: () => number): Promise<ReconcileGround> {
  const topicPrefix = `${unique('reconcile')}.`;
  const kafka = testKafka();
  const topic = await testTopic(kafka, 3, `${topicPrefix}payments`);
  const real = await startRealPayments({ topicPrefix });
  const { pool, saga, psp } = real;
  const { rows } = await pool.query<{ name: string }>('select current_database() as name');
  const url = new URL(postgresUrl());
  url.pathname = `/${rows[0]!.name}`;
  const relay = startRelay(url.href);
  url.searchParams.set('options', '-c session_replication_role=replica');
  const byHand = createPool(url.href, { applicationName: 'by hand', max: 2 });
  const reconciler = createReconciler({
    ...{ pool, kafka, topicPrefix, policies: standardPolicies },
    provider: createProviderClient({ apiKey: 'sk_test_hailway', apiBase: psp.url }),
    temporal: () => saga.client,
    taskQueue: saga.taskQueue,
    ...(now ? { now } : {}),
  });
  const order = (changes: Partial<ReconciliationOrder> = {}): ReconciliationOrder => ({
    ...{ runId: randomUUID(), since, repairs: false, settleMs: 200, resumes: false },
    ...changes,
  });
  const ground: ReconcileGround = {
    ...real,
    ...{ kafka, topic, topicPrefix, byHand, reconciler, order },
    async drifts(check, ...ids) {
      const { drifts } = await reconciler.check(check, order());
      return drifts.filter((drift) =>
        Object.values(drift.ids).some((id) => ids.some((own) => id.includes(own))),
      );
    },
    async authorized() {
      const rideId = await saga.open();
      await real.untilTold(rideId);
      return rideId;
    },
    async captured() {
      const rideId = await ground.authorized();
      await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
      await real.untilStatus(rideId, 'captured');
      return rideId;
    },
    async voided() {
      const rideId = await ground.authorized();
      await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
      await real.untilStatus(rideId, 'voided');
      return rideId;
    },
    async commit(rideId, fact, { book: books = true, row = true } = {}) {
      const before = (await getPayment(pool, rideId))!;
      const after: Payment = foldPayment(before, fact);
      const stepId = `${rideId}/byHand/${after.version}`;
      await withTransaction(pool, async (tx) => {
        await tx.query(
          `insert into steps (step_id, aggregate_id, version, fact_type, fact) values ($1, $2, $3, $4, $5)`,
          [stepId, rideId, after.version, fact.type, JSON.stringify(fact)],
        );
        if (row)
          await tx.query('update payments set version = $2, state = $3 where payment_id = $1', [
            rideId,
            after.version,
            JSON.stringify(after),
          ]);
        const entries = ledgerEntries(fact);
        if (books)
          await book(tx, { stepId, paymentId: rideId, kind: fact.type, recordedAt: fact.at, entries });
      });
      return stepId;
    },
    async age(aggregateId, minutes) {
      await byHand.query(
        `update steps set recorded_at = recorded_at - make_interval(mins => $2) where aggregate_id = $1`,
        [aggregateId, minutes],
      );
      // The log is read anew for what is as young as any transaction under way, in other files' databases too.
      await eventually(
        async () => {
          const { rows: settled } = await pool.query<{ all: boolean }>(
            `select bool_and(xid < pg_snapshot_xmin(pg_current_snapshot())) as all
             from steps where aggregate_id = $1`,
            [aggregateId],
          );
          return settled[0]!.all;
        },
        (all) => all,
        40_000,
      );
    },
    async relayed() {
      await eventually(
        async () => {
          const { rows: counts } = await pool.query<{ waiting: number }>(
            `select (select count(*) from outbox) - (select sum(facts) from relay_lanes)::bigint as waiting`,
          );
          return counts[0]!.waiting;
        },
        (waiting) => waiting === 0,
      );
    },
    async stop() {
      await relay.stop();
      await byHand.end();
      await real.stop();
      await deleteTopics(kafka, [topic]);
    },
  };
  return ground;
}
