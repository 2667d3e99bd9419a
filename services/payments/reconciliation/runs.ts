import { factAddress } from '../../../contracts/catalogue';
import { stepId } from '../../../domain/names';
import type { ReconciliationOrder, ReconciliationReport } from '../../../domain/reconcile';
import {
  countByKind,
  foldReconciliation,
  type Drift,
  type Reconciliation,
  type ReconciliationFact,
  type ReconciliationFactData,
  type ReconciliationFactType,
} from '../../../domain/reconciliation';
import { findStep, recordFact } from '../../../platform/outbox';
import { withTransaction, type Pool, type Queryable, type Tx } from '../../../platform/postgres';

/** Records what a run has found, before anything is repaired. Safe to repeat. */
export async function recordFound(
  pool: Pool,
  { runId, since, repairs }: ReconciliationOrder,
  found: readonly Drift[],
  { at, topicPrefix }: { readonly at: string; readonly topicPrefix: string },
): Promise<void> {
  await withTransaction(pool, async (tx) => {
    if ((await findStep(tx, stepId(runId, 'start'))) !== null) return;
    const facts = [
      factOf('reconciliation.started', at, { runId, since, repairs }),
      ...found.map(({ repair, ...drift }) =>
        factOf('reconciliation.drift_found', at, { ...drift, safe: repair !== undefined }),
      ),
    ];
    let run: Reconciliation | null = null;
    for (const fact of facts) {
      run = foldReconciliation(run, fact);
      const step = run.version === 1 ? stepId(runId, 'start') : stepId(runId, 'drift', run.version);
      await record(tx, run, fact, step, topicPrefix);
    }
    await put(tx, run!);
  });
}

/** Records how a run has ended. Safe to repeat. */
export async function recordFinished(
  pool: Pool,
  { runId, findings, unseen }: ReconciliationReport,
  { at, topicPrefix }: { readonly at: string; readonly topicPrefix: string },
): Promise<void> {
  await withTransaction(pool, async (tx) => {
    const step = stepId(runId, 'finish');
    if ((await findStep(tx, step)) !== null) return;
    const left = findings.filter(({ repaired }) => !repaired).map(({ drift }) => drift);
    const fact = factOf('reconciliation.finished', at, {
      found: findings.length,
      repaired: findings.length - left.length,
      left: countByKind(left),
      unseen: unseen.map(({ check }) => check),
    });
    const run = foldReconciliation(await getRun(tx, runId), fact);
    await record(tx, run, fact, step, topicPrefix);
    await put(tx, run);
  });
}

const factOf = <T extends ReconciliationFactType>(
  type: T,
  at: string,
  data: ReconciliationFactData[T],
): ReconciliationFact => ({ type, at, data }) as ReconciliationFact;

const record = (
  tx: Tx,
  { runId, version }: Reconciliation,
  fact: ReconciliationFact,
  step: string,
  topicPrefix: string,
): Promise<void> =>
  recordFact(tx, {
    ...{ stepId: step, aggregateId: runId, version, fact },
    source: '/hailway/payments',
    ...factAddress(fact.type, topicPrefix),
  });

async function put(tx: Tx, run: Reconciliation): Promise<void> {
  await tx.query(
    `insert into reconciliations (run_id, version, state) values ($1, $2, $3)
     on conflict (run_id) do update set version = excluded.version, state = excluded.state`,
    [run.runId, run.version, JSON.stringify(run)],
  );
}

/** A run as recorded, or null. */
export async function getRun(db: Queryable, runId: string): Promise<Reconciliation | null> {
  const { rows } = await db.query<{ state: Reconciliation }>(
    'select state from reconciliations where run_id = $1',
    [runId],
  );
  return rows[0]?.state ?? null;
}

/** The run that finished last, or null. */
export async function lastRun(db: Queryable): Promise<Reconciliation | null> {
  const { rows } = await db.query<{ state: Reconciliation }>(
    'select state from reconciliations where finished_at is not null order by finished_at desc limit 1',
  );
  return rows[0]?.state ?? null;
}
