/** What a reconciliation looks at, one after another. */
export const checkNames = ['books', 'workflows', 'provider', 'log'] as const;
export type CheckName = (typeof checkNames)[number];

/** Ways in which two of workflows, database, ledger, provider and log can say different things, by who sees them. */
const kinds = {
  books: [
    'facts_broken',
    'row_differs',
    'booking_missing',
    'booking_differs',
    'booking_unfounded',
    'ledger_unbalanced',
  ],
  workflows: ['workflow_missing', 'workflow_left_over', 'payment_overdue'],
  provider: [
    'intent_unknown',
    'capture_differs',
    'hold_left_open',
    'hold_differs',
    'hold_gone',
    'refund_differs',
    'transfer_differs',
    'dispute_differs',
    'unknown_to_provider',
  ],
  log: ['fact_missing_on_log', 'fact_differs_on_log', 'fact_unfounded_on_log', 'facts_out_of_order'],
} as const satisfies Record<CheckName, readonly string[]>;

export type DriftKind = (typeof kinds)[CheckName][number];

/** The check that sees drifts of a kind. */
export const checkOf = (kind: DriftKind): CheckName =>
  checkNames.find((check) => (kinds[check] as readonly string[]).includes(kind))!;

/** What may be done without asking anybody: it has somebody look, or lets go of what nobody uses. None books. */
export type Repair =
  | { readonly does: 'tell_workflow'; readonly workflowId: string; readonly objectId: string }
  | { readonly does: 'tell_refunds'; readonly rideId: string; readonly refundId: string }
  | { readonly does: 'tell_dispute'; readonly disputeId: string }
  | { readonly does: 'tell_payout'; readonly payoutId: string; readonly objectId: string }
  | { readonly does: 'start_payment'; readonly rideId: string }
  | { readonly does: 'cancel_hold'; readonly rideId: string; readonly intentId: string };

/** Something that is not as it is told elsewhere. */
export interface Drift {
  readonly kind: DriftKind;
  /** What it is about, each by its name: `rideId`, `intentId`. */
  readonly ids: Readonly<Record<string, string>>;
  /** By how much the one is more than what it is held against, in minor units of `currency`. */
  readonly byMinor?: number;
  readonly currency?: string;
  /** The drift in a sentence, without the ids. */
  readonly says: string;
  /** Where it can be told. */
  readonly cause?: string;
  /** What repairs it, in words. */
  readonly action: string;
  /** The same to be done, where it is safe. */
  readonly repair?: Repair;
}

/** Drifts that one check tells of at most: where there are more, one cause has them all. */
export const MOST_DRIFTS = 200;

/** Which drift it is: the same one at a further look has the same. */
export const driftKey = ({ kind, ids }: Drift): string => `${kind} ${inOrder(ids)}`;

const inOrder = (ids: Drift['ids']): string =>
  Object.entries(ids)
    .map(([name, id]) => `${name}=${id}`)
    .sort()
    .join(' ');

/** A drift in a line. */
export function driftLine(drift: Drift): string {
  const { kind, ids, byMinor, currency, says, cause, action, repair } = drift;
  const by = byMinor === undefined ? '' : ` (${byMinor > 0 ? '+' : ''}${byMinor} ${currency ?? ''})`;
  const why = cause === undefined ? '' : ` Cause: ${cause}.`;
  return `${kind} ${inOrder(ids)}: ${says}${by}.${why} Repair (${repair ? 'safe' : 'an operator’s'}): ${action}.`;
}

/** Whether a drift is told as another one by now; why it is so may be said in other words each time. */
export const isSameDrift = (one: Drift, other: Drift): boolean =>
  one.byMinor === other.byMinor &&
  one.currency === other.currency &&
  one.says === other.says &&
  (one.repair === undefined) === (other.repair === undefined);

/** How many of each kind. */
export function countByKind(drifts: readonly Drift[]): Partial<Record<DriftKind, number>> {
  const counts: Partial<Record<DriftKind, number>> = {};
  for (const { kind } of drifts) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** The data of every fact of a reconciliation. contracts/facts/payments.ts holds the schema of each to this. */
export interface ReconciliationFactData {
  'reconciliation.started': {
    readonly runId: string;
    /** What has changed since then, and what is still open, was looked at. */
    readonly since: string;
    /** Whether what is safe to repair was to be repaired. */
    readonly repairs: boolean;
  };
  /** Told once of a drift that lasts, and again where it has become another one. */
  'reconciliation.drift_found': Omit<Drift, 'repair'> & { readonly safe: boolean };
  'reconciliation.drift_ended': {
    readonly kind: DriftKind;
    readonly ids: Drift['ids'];
    /** When it was found first, ISO 8601 in UTC. */
    readonly since: string;
    /** By what this run has done. */
    readonly repaired: boolean;
  };
  'reconciliation.finished': {
    /** Those that had been told before, too. */
    readonly found: number;
    readonly repaired: number;
    /** What is left, by kind. */
    readonly left: Readonly<Record<string, number>>;
    /** Checks that could not look. */
    readonly unseen: readonly CheckName[];
  };
}

export type ReconciliationFactType = keyof ReconciliationFactData;

/** What happened in a reconciliation, and when. */
export type ReconciliationFact = {
  [T in ReconciliationFactType]: {
    readonly type: T;
    readonly at: string;
    readonly data: ReconciliationFactData[T];
  };
}[ReconciliationFactType];

/** A run as its facts tell it; the row in Postgres is exactly this. */
export interface Reconciliation {
  readonly runId: string;
  readonly version: number;
  readonly since: string;
  readonly repairs: boolean;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly found: number;
  readonly left: Readonly<Record<string, number>>;
  readonly unseen: readonly CheckName[];
}

/** The run after a fact. Folding all of a run's facts from `null` rebuilds its row. */
export function foldReconciliation(run: Reconciliation | null, fact: ReconciliationFact): Reconciliation {
  if (fact.type === 'reconciliation.started') {
    if (run !== null) throw new Error('impossible: a reconciliation that starts twice');
    return {
      ...fact.data,
      version: 1,
      startedAt: fact.at,
      finishedAt: null,
      found: 0,
      left: {},
      unseen: [],
    };
  }
  if (run === null || run.finishedAt !== null)
    throw new Error(`impossible: ${fact.type} of a reconciliation that is not under way`);
  const version = run.version + 1;
  if (fact.type !== 'reconciliation.finished') return { ...run, version };
  const { found, left, unseen } = fact.data;
  return { ...run, version, finishedAt: fact.at, found, left, unseen };
}
