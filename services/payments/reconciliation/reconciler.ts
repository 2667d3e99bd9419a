import type { Client } from '@temporalio/client';
import type {
  Compared,
  Found,
  ReconciliationOrder,
  ReconciliationReport,
  Seen,
} from '../../../domain/reconcile';
import { checkOf, type CheckName, type Repair } from '../../../domain/reconciliation';
import type { Policies } from '../../../domain/policies';
import type { Kafka } from '../../../platform/kafka';
import type { Pool } from '../../../platform/postgres';
import type { ProviderClient } from '../provider/client';
import { checkBooks } from './books';
import { checkLog } from './log';
import { logTopic } from './logPosition';
import { openDrifts } from './openDrifts';
import type { Scope } from './pages';
import { checkProvider } from './provider';
import { doRepair } from './repairs';
import { recordFinished, recordFound, sinceLastLook } from './runs';
import { checkWorkflows } from './workflows';
import { createWorkflowView } from './workflowView';

export interface ReconcilerOptions {
  readonly pool: Pool;
  readonly provider: ProviderClient;
  readonly kafka: Kafka;
  /** Asked for when it is needed: an activity has its worker’s. */
  readonly temporal: () => Client;
  /** Where our payments’ workflows are carried. */
  readonly taskQueue: string;
  readonly topicPrefix: string;
  readonly policies: Policies;
  /** A committed fact may be on its way to the log for so long (a minute). */
  readonly lagMs?: number;
  /** In milliseconds since 1970; the machine's clock unless told otherwise. */
  readonly now?: () => number;
}

/** What a reconciliation does, one by one. Everything but the repairs and the records only reads. */
export interface Reconciler {
  /** `beat` is called for as long as it goes on. @throws where somebody who is asked does not answer */
  check(name: CheckName, order: ReconciliationOrder, beat?: () => void): Promise<Seen>;
  repair(repair: Repair, order: ReconciliationOrder): Promise<string>;
  recordFound(order: ReconciliationOrder, found: Found): Promise<void>;
  recordFinished(report: ReconciliationReport, compared?: Compared): Promise<void>;
}

const LAG_MS = 60_000;

export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { pool, provider: client, kafka, temporal, taskQueue, topicPrefix, policies } = options;
  const now = options.now ?? Date.now;
  const checks: Readonly<Record<CheckName, (scope: Scope, beat: () => void) => Promise<Seen>>> = {
    books: async (scope, beat) => ({ drifts: await checkBooks(pool, scope, beat) }),
    workflows: async (_scope, beat) => {
      const workflows = createWorkflowView(temporal(), taskQueue);
      return { drifts: await checkWorkflows({ pool, policies, now, workflows }, beat) };
    },
    provider: async (scope, beat) => ({ drifts: await checkProvider({ pool, client }, scope, beat) }),
    log: (scope, beat) =>
      checkLog({ pool, kafka, topic: logTopic(topicPrefix), lagMs: options.lagMs ?? LAG_MS }, scope, beat),
  };
  const place = () => ({ at: new Date(now()).toISOString(), topicPrefix });
  return {
    async check(name, { since, resumes }, beat = () => undefined) {
      const open = [...(await openDrifts(pool)).values()];
      const again = open.filter(({ drift }) => checkOf(drift.kind) === name);
      // The log is read on from where it was compared.
      const from = name === 'log' ? since : await sinceLastLook(pool, name, since);
      return checks[name]({ since: from, resumes, again }, beat);
    },
    repair: (repair, order) => {
      const workflows = createWorkflowView(temporal(), taskQueue);
      return doRepair({ pool, client, temporal: temporal(), workflows, taskQueue, policies }, repair, order);
    },
    recordFound: (order, found) => recordFound(pool, order, found, place()),
    recordFinished: (report, compared) => recordFinished(pool, report, compared, place()),
  };
}
