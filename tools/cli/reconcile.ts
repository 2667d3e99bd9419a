import { v7 as uuidv7 } from 'uuid';
import { taskQueues } from '../../domain/names';
import { scalePolicies, standardPolicies } from '../../domain/policies';
import {
  isClean,
  reconcile,
  type ReconciliationOrder,
  type ReconciliationReport,
} from '../../domain/reconcile';
import { driftLine } from '../../domain/reconciliation';
import { createKafka } from '../../platform/kafka';
import { createPool } from '../../platform/postgres';
import { createTemporalClient } from '../../platform/temporal';
import { wait } from '../../platform/wait';
import { createProviderClient } from '../../services/payments/provider/client';
import { createReconciler, type Reconciler } from '../../services/payments/reconciliation/reconciler';
import { UsageError } from '../commandLine';
import { configOf, dataDirOf, databaseOf } from './addresses';
import { optionsOf, timeOption } from './arguments';
import { kafkaOf } from './kafka';

const DAY_MS = 24 * 60 * 60_000;
const SETTLE_SECONDS = 10;

/**
 * `npx hailway reconcile`: every drift in a line; the same code as the Schedule's workflow.
 * @returns 0 where nothing differs any more, 1 where something does or could not be looked at
 */
export async function reconcileHouse(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options = optionsOf(argv, ['since', 'settle', 'data-dir'], ['repair', 'json']);
  const order: ReconciliationOrder = {
    runId: uuidv7(),
    since: sinceOf(options.since),
    repairs: options.repair ?? false,
    settleMs: settleOf(options.settle) * 1_000,
    resumes: options.since === undefined,
  };
  const config = configOf(env);
  const dataDir = dataDirOf(options, env);
  const pool = createPool(await databaseOf(env, dataDir, 'payments'), {
    applicationName: 'reconcile',
    max: 4,
  });
  const temporal = createTemporalClient({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
  });
  try {
    const reconciler = createReconciler({
      pool,
      provider: createProviderClient({ apiKey: config.STRIPE_API_KEY, apiBase: config.STRIPE_API_BASE }),
      kafka: createKafka({ ...(await kafkaOf(env, dataDir)), clientId: 'reconcile' }),
      temporal: () => temporal,
      taskQueue: taskQueues.payments,
      topicPrefix: config.KAFKA_TOPIC_PREFIX,
      policies: scalePolicies(standardPolicies, config.HAILWAY_SPEED),
    });
    const report = await reconcileWith(reconciler, order);
    const text = options.json ? JSON.stringify(report) : reportLines(report).join('\n');
    process.stdout.write(`${text}\n`);
    return isClean(report) ? 0 : 1;
  } catch (error) {
    process.stderr.write(`hailway: ${words(error)}\n`);
    return 1;
  } finally {
    await temporal.connection.close();
    await pool.end();
  }
}

/** A whole run, step by step in this process. @throws where the run cannot be recorded */
export const reconcileWith = (
  reconciler: Reconciler,
  order: ReconciliationOrder,
): Promise<ReconciliationReport> =>
  reconcile(order, {
    look: (check) => reconciler.check(check, order).catch((error: unknown) => ({ unseen: words(error) })),
    wait: (ms) => wait(ms),
    repair: (repair) =>
      reconciler.repair(repair, order).catch((error: unknown) => `could not: ${words(error)}`),
    recordFound: (_order, found) => reconciler.recordFound(order, found),
    recordFinished: (report, compared) => reconciler.recordFinished(report, compared),
  });

/** A line for each drift and for what could not be looked at, and a last one. */
function reportLines({ findings, unseen, since, runId }: ReconciliationReport): string[] {
  const left = findings.filter(({ repaired }) => !repaired).length;
  return [
    ...findings.map(({ drift, tried, repaired }) => {
      const outcome = tried === undefined ? '' : ` Done: ${tried}.`;
      return `${repaired ? 'repaired ' : ''}${driftLine(drift)}${outcome}`;
    }),
    ...unseen.map(({ check, reason }) => `could not look at ${check}: ${reason}`),
    `${findings.length} drifts, ${left} left (run ${runId}, since ${since}).`,
  ];
}

function sinceOf(text: string | undefined): string {
  if (text === undefined) return new Date(Date.now() - DAY_MS).toISOString();
  return timeOption('since', text);
}

function settleOf(text: string | undefined): number {
  if (text === undefined) return SETTLE_SECONDS;
  const seconds = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || seconds > 600)
    throw new UsageError(`--settle takes seconds up to 600, not ${JSON.stringify(text)}`);
  return seconds;
}

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));
