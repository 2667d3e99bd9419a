import { checkNames, driftKey, MOST_DRIFTS, type CheckName, type Drift, type Repair } from './reconciliation';

/** What a reconciliation is asked for. */
export interface ReconciliationOrder {
  readonly runId: string;
  /** What has changed since then is looked at, and all that is still open. ISO 8601 in UTC. */
  readonly since: string;
  /** Repair what is safe to repair. */
  readonly repairs: boolean;
  /** Between a look and the next: what is only on its way has arrived by then. */
  readonly settleMs: number;
  /** Read the log on from where the last run has ended, and not all of it since then. */
  readonly resumes: boolean;
}

/** How far the log has been compared with the database: a later run goes on from here. */
export interface Compared {
  /** All steps of transactions below this one, by their number. */
  readonly below: string;
  /** All records before these, by partition. */
  readonly offsets: Readonly<Record<number, number>>;
}

/** What a check has found; of the log how far that goes. */
export interface Seen {
  readonly drifts: readonly Drift[];
  readonly compared?: Compared;
}

/** What a check has found, or why it could not look. */
export type Look = Seen | { readonly unseen: string };

/** What a run has found, before anything is repaired. */
export interface Found {
  readonly drifts: readonly Drift[];
  /** The checks that have seen everything: what they have not found any more has ended. */
  readonly whole: readonly CheckName[];
}

/** What a reconciliation does outside of itself; a workflow and a command line do it in their own ways. */
export interface ReconciliationSteps {
  look(check: CheckName, order: ReconciliationOrder): Promise<Look>;
  wait(ms: number): Promise<void>;
  /** Does what is safe, and says what came of it. */
  repair(repair: Repair, order: ReconciliationOrder): Promise<string>;
  recordFound(order: ReconciliationOrder, found: Found): Promise<void>;
  recordFinished(report: ReconciliationReport, compared?: Compared): Promise<void>;
}

/** A drift that every look has seen, and what became of it. */
export interface Finding {
  readonly drift: Drift;
  /** What the repair said, where one was tried. */
  readonly tried?: string;
  /** A look after the repair has not seen it any more. */
  readonly repaired: boolean;
}

export interface ReconciliationReport {
  readonly runId: string;
  readonly since: string;
  readonly findings: readonly Finding[];
  /** Checks that could not look, with the reason. */
  readonly unseen: readonly { readonly check: CheckName; readonly reason: string }[];
}

/**
 * How many further looks have to see what the first one has seen. A busy worker may take half a minute from the
 * provider's answer to the commit.
 */
const LOOKS_TO_CONFIRM = 2;

/** How often repairs are looked after before they count as not done: whom they have told needs a while. */
const LOOKS_AFTER_REPAIR = 6;

/** Whether the house is clean, as far as everything could be seen. */
export const isClean = ({ findings, unseen }: ReconciliationReport): boolean =>
  unseen.length === 0 && findings.every(({ repaired }) => repaired);

/**
 * Looks at everything, and again and again at what seemed to differ: the house is not stopped for it, so that what is only on its
 * way between two books is no drift. Then records, repairs what is safe, looks whether that helped, and records the end.
 */
export async function reconcile(
  order: ReconciliationOrder,
  steps: ReconciliationSteps,
): Promise<ReconciliationReport> {
  const unseen = new Map<CheckName, string>();
  const found = new Map<CheckName, readonly Drift[]>();
  let first: Seen = { drifts: [] };
  for (const check of checkNames) {
    const seen = await look(check);
    found.set(check, seen.drifts);
    if (seen.compared !== undefined) first = seen;
  }
  const full = checkNames.filter((check) => found.get(check)!.length >= MOST_DRIFTS);
  for (let looks = 0; looks < LOOKS_TO_CONFIRM && any(); looks += 1) {
    await steps.wait(order.settleMs);
    await lookAgain();
  }
  const confirmed = [...found].flatMap(([, drifts]) => drifts);
  const whole = checkNames.filter((check) => !unseen.has(check) && !full.includes(check));
  await steps.recordFound(order, { drifts: confirmed, whole });
  const tried = new Map<string, string>();
  if (order.repairs) await repair(confirmed);
  const left = new Set([...found.values()].flat().map(driftKey));
  const report: ReconciliationReport = {
    runId: order.runId,
    since: order.since,
    findings: confirmed.map((drift) => finding(drift, tried.get(driftKey(drift)))),
    unseen: [...unseen].map(([check, reason]) => ({ check, reason })),
  };
  // What was missing and has come meanwhile may have come out of order: the next run reads there again.
  const isAsCompared = first.drifts.every((drift) => left.has(driftKey(drift)));
  await steps.recordFinished(report, isAsCompared ? first.compared : undefined);
  return report;

  function any(): boolean {
    return [...found.values()].some((drifts) => drifts.length > 0);
  }

  async function look(check: CheckName): Promise<Seen> {
    const seen = await steps.look(check, order);
    if ('unseen' in seen) {
      unseen.set(check, seen.unseen);
      return { drifts: [] };
    }
    unseen.delete(check);
    return seen;
  }

  /** Of what was found, what is still there. A check that cannot look any more says nothing new. */
  async function lookAgain(): Promise<void> {
    for (const [check, before] of found) {
      if (before.length === 0) continue;
      const known = new Set(before.map(driftKey));
      const { drifts: still } = await look(check);
      if (!unseen.has(check))
        found.set(
          check,
          still.filter((drift) => known.has(driftKey(drift))),
        );
    }
  }

  async function repair(drifts: readonly Drift[]): Promise<void> {
    for (const drift of drifts)
      if (drift.repair) tried.set(driftKey(drift), await steps.repair(drift.repair, order));
    for (let looks = 0; looks < LOOKS_AFTER_REPAIR && repairsLeft(); looks += 1) {
      await steps.wait(order.settleMs);
      await lookAgain();
    }
  }

  function repairsLeft(): boolean {
    return [...found.values()].some((drifts) => drifts.some((drift) => tried.has(driftKey(drift))));
  }

  function finding(drift: Drift, words: string | undefined): Finding {
    return {
      drift,
      ...(words === undefined ? {} : { tried: words }),
      repaired: order.repairs && !left.has(driftKey(drift)),
    };
  }
}
