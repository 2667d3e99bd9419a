import { Client, Connection } from '@temporalio/client';
import { v7 as uuidv7 } from 'uuid';
import { taskQueues } from '../../../domain/names';
import { standardPolicies } from '../../../domain/policies';
import type { CheckName } from '../../../domain/reconciliation';
import { createFactProducer, createKafka, type Kafka } from '../../../platform/kafka';
import type { Pool } from '../../../platform/postgres';
import { runRelay } from '../../../platform/relay';
import { wait } from '../../../platform/wait';
import { createProviderClient } from '../../../services/payments/provider/client';
import { createReconciler, type Reconciler } from '../../../services/payments/reconciliation/reconciler';
import { reconcileWith } from '../../cli/reconcile';
import type { Say } from '../../stack/say';
import { prepareKafka } from '../../stack/topics';
import { Checks, inRounds, type BenchResult, type Metrics } from '../frame';
import { onGround, type Stops } from '../ground';
import type { BenchOptions } from '../options';
import { startHouse, type Ground } from '../ride/house';
import { fillBooks } from './fill';

const PAYMENTS = 20_000;
const DAY_MS = 24 * 60 * 60_000;
/** By how much the heap may grow meanwhile, garbage included: the reconciliation reads page by page. */
const MOST_HEAP_MB = 400;

/**
 * A reconciliation over a day's payments, all of them in order: how long each check takes, and how much memory. Nothing
 * is read on from an earlier run, so each round looks at all of it.
 */
export const benchReconcile = (options: BenchOptions, say: Say): Promise<BenchResult> =>
  onGround(say, (ground, stops) => measure(ground, stops, options, say), ['postgres', 'temporal', 'kafka']);

async function measure(
  ground: Ground,
  stops: Stops,
  { rounds, size = PAYMENTS }: BenchOptions,
  say: Say,
): Promise<BenchResult> {
  const { servers, provider: psp } = ground;
  const house = await startHouse(ground, { name: 'reconcile', processes: [], port: servers.ports.gateway });
  stops.push(() => house.stop());
  const { payments: pool } = house;
  const provider = createProviderClient({ apiKey: 'sk_test_hailway', apiBase: psp.url });
  const address = { brokers: [servers.kafkaBroker] };
  await prepareKafka({ address, prefix: '', replicas: 1, access: false });
  const kafka = createKafka({ brokers: [servers.kafkaBroker], clientId: 'bench' });
  // Each run records facts of its own, too, which the next one looks for on the log.
  const relay = startRelay(house.paymentsUrl, kafka);
  stops.push(() => relay.stop());
  await say.during(`Filling the books with ${size} payments`, async () => {
    await fillBooks({ pool, provider }, size);
    await untilRelayed(pool);
  });
  const connection = await Connection.connect({ address: servers.temporalAddress });
  stops.push(() => connection.close());
  const temporal = new Client({ connection, namespace: house.namespace });
  const reconciler = createReconciler({
    ...{ pool, provider, kafka, topicPrefix: '', policies: standardPolicies },
    ...{ temporal: () => temporal, taskQueue: taskQueues.payments },
  });
  const checks = new Checks();
  const contestants = await inRounds({ hailway: () => oneRun(reconciler, size, checks) }, rounds, (text) =>
    say.line(text),
  );
  const heapMb = contestants['hailway']!['heapMb']!.max;
  checks.note(`atMost${MOST_HEAP_MB}MbOfHeap`, heapMb <= MOST_HEAP_MB);
  const figures = { payments: size, heapMb };
  return { bench: 'reconcile', rounds, contestants, ratios: {}, figures, checks: checks.all };
}

async function oneRun(reconciler: Reconciler, size: number, checks: Checks): Promise<Metrics> {
  const tookMs: Partial<Record<CheckName, number>> = {};
  const heapNow = (): number => process.memoryUsage().heapUsed;
  const heapBefore = heapNow();
  let heapMost = heapBefore;
  const measured: Reconciler = {
    ...reconciler,
    async check(name, order) {
      const startedAt = performance.now();
      const seen = await reconciler.check(name, order, () => (heapMost = Math.max(heapMost, heapNow())));
      tookMs[name] = performance.now() - startedAt;
      return seen;
    },
  };
  const since = new Date(Date.now() - DAY_MS).toISOString();
  const order = { runId: uuidv7(), since, repairs: false, settleMs: 1_000, resumes: false };
  const { findings, unseen } = await reconcileWith(measured, order);
  checks.note('everythingIsSeen', unseen.length === 0);
  checks.note('nothingDiffers', findings.length === 0);
  const { books = 0, workflows = 0, provider = 0, log = 0 } = tookMs;
  return {
    paymentsPerSecond: (size * 1_000) / (books + workflows + provider + log),
    ...{ booksMs: books, workflowsMs: workflows, providerMs: provider, logMs: log },
    heapMb: (heapMost - heapBefore) / 2 ** 20,
  };
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

function startRelay(databaseUrl: string, kafka: Kafka) {
  const stopping = new AbortController();
  const { signal } = stopping;
  const createProducer = () => createFactProducer(kafka, { log: quiet });
  const done = runRelay({ databaseUrl, database: 'payments', kafka, createProducer, signal, log: quiet });
  return {
    async stop(): Promise<void> {
      stopping.abort();
      await done;
    },
  };
}

/** Until every fact is on the log. */
async function untilRelayed(pool: Pool): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ waiting: number }>(
      `select (select count(*) from outbox) - (select sum(facts) from relay_lanes)::bigint as waiting`,
    );
    if (rows[0]!.waiting === 0) return;
    await wait(100);
  }
}
