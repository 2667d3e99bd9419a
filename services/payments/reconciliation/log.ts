import type { Compared, Seen } from '../../../domain/reconcile';
import type { Drift } from '../../../domain/reconciliation';
import { readTopicRaw, type Kafka, type RawRecord } from '../../../platform/kafka';
import { factId } from '../../../platform/outbox';
import type { Pool } from '../../../platform/postgres';
import { createCollected, type Collected } from './collect';
import { judgeLogged, missingFact, type LoggedFact } from './judgeLog';
import { beginOfLook, settledBelow } from './logPosition';
import { createLogProgress, type LogProgress } from './logProgress';
import { committedAs, committedSince, parkedKeys, versionsBelow, type CommittedFact } from './logSteps';
import type { Scope } from './pages';

/** Records that are compared with the database at once. */
const PAGE = 500;
const READ_TIMEOUT_MS = 15 * 60_000;

export interface LogToCheck {
  readonly pool: Pool;
  readonly kafka: Kafka;
  /** The topic of payments, with its prefix. */
  readonly topic: string;
  /** A fact may be on its way for so long. */
  readonly lagMs: number;
}

interface Looking extends LogToCheck {
  readonly begin: Compared;
  readonly progress: LogProgress;
  readonly collected: Collected;
  readonly beat: () => void;
  /** Facts that were missing before, and have not turned up. */
  readonly missed: Set<string>;
}

/**
 * Each committed fact is on the log, in order for its key; a repeat is none of order’s business, as consumers take each
 * once. What is new on either side since the last run is held against the other; of what was read no more is remembered
 * than a number for each key.
 */
export async function checkLog(house: LogToCheck, scope: Scope, beat: () => void): Promise<Seen> {
  const { pool, kafka, topic, lagMs } = house;
  const below = await settledBelow(pool, lagMs);
  const begin = await beginOfLook(house, scope);
  const missed = new Set(idsOf(scope, true));
  const collected = createCollected();
  const look: Looking = { ...house, begin, progress: createLogProgress(), collected, beat, missed };
  const offsets: Record<number, number> = { ...begin.offsets };
  const youngest = new Map<number, number>();
  let page: LoggedFact[] = [];
  const compare = async (): Promise<void> => {
    beat();
    const committed = await comparePage(page, look);
    for (const { partition, offset, key, sequence } of page) {
      offsets[partition] = offset + 1;
      // Steps that are as young are compared anew by the next run: their records have to be read anew, too.
      const fact = committed.get(placeOf(key, sequence));
      if (fact && BigInt(fact.xid ?? 0) >= BigInt(below) && !youngest.has(partition))
        youngest.set(partition, offset);
    }
    page = [];
  };
  await readTopicRaw({
    ...{ kafka, topic, timeoutMs: READ_TIMEOUT_MS, reader: 'payments' },
    rangeOf: (partition) => ({ from: begin.offsets[partition] ?? 0 }),
    onRecord: async (record) => {
      page.push(loggedFact(record));
      if (page.length >= PAGE) await compare();
    },
  });
  await compare();
  await findMissing(look);
  collected.add(...stillTold(scope));
  const compared = { below, offsets: { ...offsets, ...Object.fromEntries(youngest) } };
  return { drifts: collected.drifts, ...(collected.isFull ? {} : { compared }) };
}

const loggedFact = ({ key, value, headers, partition, offset }: RawRecord): LoggedFact => ({
  ...{ partition, offset },
  key: String(key),
  sequence: Number(headers['ce_sequence']),
  id: String(headers['ce_id']),
  value: String(value),
});

const placeOf = (key: string, sequence: number): string => `${key}/${sequence}`;

/** The key and the version in a fact's id. */
function placeIn(id: string): { key: string; sequence: number } {
  const [, key = '', sequence] = id.split('/');
  return { key, sequence: Number(sequence) };
}

const isMissing = ({ kind }: Drift): boolean => kind === 'fact_missing_on_log';

const idsOf = ({ again }: Scope, missing: boolean): string[] =>
  again.filter(({ drift }) => isMissing(drift) === missing).map(({ drift }) => drift.ids['factId']!);

/** What lies wrong on the log lies there for ever: it is told for as long as the run looks back. */
const stillTold = ({ again, since }: Scope): Drift[] =>
  again.filter((open) => !isMissing(open.drift) && open.since >= since).map(({ drift }) => drift);

/** What lies on the log is what was committed, and in order. Answers what was committed, by key and version. */
async function comparePage(
  page: readonly LoggedFact[],
  { pool, begin, progress, collected, missed }: Looking,
): Promise<ReadonlyMap<string, CommittedFact>> {
  const rows = await committedAs(pool, page);
  const committed = new Map(rows.map((row) => [placeOf(row.key, row.sequence), row]));
  const keys = [...new Set(page.map(({ key }) => key))].filter((key) => !progress.knows(key));
  const bases = await versionsBelow(pool, keys, begin.below);
  for (const key of keys) progress.begin(key, bases.get(key) ?? 0);
  for (const fact of page) {
    const wasMissed = missed.delete(fact.id);
    const isLate = progress.follow(fact) || (wasMissed && progress.isBehind(fact));
    collected.add(...judgeLogged(fact, committed.get(placeOf(fact.key, fact.sequence)), isLate));
  }
  return committed;
}

/** What was committed lies on the log, but for what may still be on its way. */
async function findMissing({
  pool,
  topic,
  lagMs,
  begin,
  progress,
  collected,
  beat,
  missed,
}: Looking): Promise<void> {
  const tell = async (lost: readonly CommittedFact[]): Promise<void> => {
    if (lost.length === 0) return;
    const parked = await parkedKeys(pool, topic, [...new Set(lost.map(({ key }) => key))]);
    collected.add(...lost.map((fact) => missingFact(fact, parked.get(fact.key))));
  };
  for await (const page of committedSince(pool, begin.below)) {
    beat();
    if (collected.isFull) return;
    await tell(page.filter((fact) => fact.ageMs > lagMs && !progress.has(fact)));
  }
  const before = await committedAs(pool, [...missed].map(placeIn));
  await tell(before.filter(({ key, sequence, fact }) => missed.has(factId(fact.type, key, sequence))));
}
