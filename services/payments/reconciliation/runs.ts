import { writtenFact } from '../../../contracts/writtenFact';
import { stepId } from '../../../domain/names';
import type { Compared, Found, ReconciliationOrder, ReconciliationReport } from '../../../domain/reconcile';
import {
  checkOf,
  countByKind,
  driftKey,
  foldReconciliation,
  isSameDrift,
  type CheckName,
  type Reconciliation,
  type ReconciliationFact,
  type ReconciliationFactData,
  type ReconciliationFactType,
} from '../../../domain/reconciliation';
import { findStep, recordFact } from '../../../platform/outbox';
import { withTransaction, type Pool, type Queryable, type Tx } from '../../../platform/postgres';
import { logTopic, putCompared } from './logPosition';
import { dropOpen, keepOpen, openDrifts, type OpenDrift } from './openDrifts';

const LONGEST_RUN_MS = 60 * 60_000;

/**
 * Records what a run has found, before anything is repaired: what is new or has become another drift, and what has ended.
 * Safe to repeat.
 */
export async function recordFound(
  pool: Pool,
  { runId, since, repairs }: ReconciliationOrder,
  { drifts, whole }: Found,
  { at, topicPrefix }: Place,
): Promise<void> {
  await withTransaction(pool, async (tx) => {
    if ((await findStep(tx, stepId(runId, 'start'))) !== null) return;
    const open = await openDrifts(tx);
    const found = new Set(drifts.map(driftKey));
    const told = drifts.filter((drift) => {
      const before = open.get(driftKey(drift));
      return before === undefined || !isSameDrift(before.drift, drift);
    });
    const gone = [...open].filter(
      ([key, { drift }]) => whole.includes(checkOf(drift.kind)) && !found.has(key),
    );
    const facts = [
      factOf('reconciliation.started', at, { runId, since, repairs }),
      ...told.map(({ repair, ...drift }) =>
        factOf('reconciliation.drift_found', at, { ...drift, safe: repair !== undefined }),
      ),
      ...gone.map(([, drift]) => ended(drift, at, false)),
    ];
    let run: Reconciliation | null = null;
    for (const fact of facts) {
      run = foldReconciliation(run, fact);
      const step = run.version === 1 ? stepId(runId, 'start') : stepId(runId, 'drift', run.version);
      await record(tx, run, fact, step, topicPrefix);
    }
    await keepOpen(tx, told, at);
    await dropOpen(
      tx,
      gone.map(([key]) => key),
    );
    await put(tx, run!);
  });
}

/** Records how a run has ended, and how far the log was compared. Safe to repeat. */
export async function recordFinished(
  pool: Pool,
  { runId, findings, unseen }: ReconciliationReport,
  compared: Compared | undefined,
  { at, topicPrefix }: Place,
): Promise<void> {
  await withTransaction(pool, async (tx) => {
    const step = stepId(runId, 'finish');
    if ((await findStep(tx, step)) !== null) return;
    const open = await openDrifts(tx);
    const repaired = findings.filter((finding) => finding.repaired).map(({ drift }) => driftKey(drift));
    const left = findings.filter((finding) => !finding.repaired).map(({ drift }) => drift);
    let run = await getRun(tx, runId);
    for (const key of repaired) {
      const drift = open.get(key);
      if (drift === undefined) continue;
      const fact = ended(drift, at, true);
      run = foldReconciliation(run, fact);
      await record(tx, run, fact, stepId(runId, 'drift', run.version), topicPrefix);
    }
    await dropOpen(tx, repaired);
    const fact = factOf('reconciliation.finished', at, {
      found: findings.length,
      repaired: repaired.length,
      left: countByKind(left),
      unseen: unseen.map(({ check }) => check),
    });
    run = foldReconciliation(run, fact);
    await record(tx, run, fact, step, topicPrefix);
    await put(tx, run);
    if (compared) await putCompared(tx, logTopic(topicPrefix), compared);
  });
}

/** When a run records something, and where its facts go. */
interface Place {
  /** ISO 8601 in UTC. */
  readonly at: string;
  readonly topicPrefix: string;
}

const ended = (
  { drift: { kind, ids }, since }: OpenDrift,
  at: string,
  repaired: boolean,
): ReconciliationFact => factOf('reconciliation.drift_ended', at, { kind, ids, since, repaired });

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
    ...{ stepId: step, aggregateId: runId, version, source: '/hailway/payments' },
    ...writtenFact(fact, topicPrefix),
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

/**
 * From when on a check has to look so that nothing is passed over between two runs: since the last one that could look,
 * and is over. Its first look is up to an hour before what it records.
 * @param since at the latest; both ISO 8601 in UTC
 */
export async function sinceLastLook(db: Queryable, check: CheckName, since: string): Promise<string> {
  const { rows } = await db.query<{ startedAt: string }>(
    `select state ->> 'startedAt' as "startedAt" from reconciliations
     where finished_at is not null and not state -> 'unseen' ? $1 order by finished_at desc limit 1`,
    [check],
  );
  const [last] = rows;
  if (last === undefined) return since;
  const begun = new Date(Date.parse(last.startedAt) - LONGEST_RUN_MS).toISOString();
  return begun < since ? begun : since;
}
