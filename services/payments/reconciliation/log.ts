import { isDeepStrictEqual } from 'node:util';
import type { Drift } from '../../../domain/reconciliation';
import { readTopicRaw, type Kafka, type RawRecord } from '../../../platform/kafka';
import { factId } from '../../../platform/outbox';
import type { Pool, Queryable } from '../../../platform/postgres';
import { createCollected, type Collected } from './collect';
import { families, pagesSince, stepsOfAll, type RecordedStep } from './pages';

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

interface LoggedFact {
  readonly key: string;
  readonly sequence: number;
  readonly id: string;
  readonly value: string;
}

/** How far each key is on the log: a number for each, whatever there is of it. */
interface Progress {
  /** Up to this sequence everything is there. */
  readonly upTo: Map<string, number>;
  /** What came before its predecessors. */
  readonly ahead: Map<string, Set<number>>;
}

/**
 * Each committed fact is on the log, in order for its key; a repeat is none of order’s business, as consumers take each
 * once. The log is read from its beginning, and what it says is compared with the database from `since` on.
 */
export async function checkLog(
  house: LogToCheck,
  since: string,
  beat: () => void,
): Promise<readonly Drift[]> {
  const { pool, kafka, topic } = house;
  const collected = createCollected();
  const progress: Progress = { upTo: new Map(), ahead: new Map() };
  const sinceMs = Date.parse(since);
  let page: LoggedFact[] = [];
  let read = 0;
  const compare = async (): Promise<void> => {
    beat();
    collected.add(...(await judgeLogged(pool, page)));
    page = [];
  };
  await readTopicRaw({
    kafka,
    topic,
    timeoutMs: READ_TIMEOUT_MS,
    onRecord: async (record) => {
      read += 1;
      if (read % PAGE === 0) beat();
      const fact = loggedFact(record);
      collected.add(...follow(progress, fact));
      if (record.timestamp < sinceMs) return;
      page.push(fact);
      if (page.length >= PAGE) await compare();
    },
  });
  await compare();
  await findMissing(house, { since, progress, collected, beat });
  return collected.drifts;
}

const loggedFact = ({ key, value, headers }: RawRecord): LoggedFact => ({
  key: String(key),
  sequence: Number(headers['ce_sequence']),
  id: String(headers['ce_id']),
  value: String(value),
});

const keyName = 'key';
const relayAction = 'look at the relay: its log, its parked keys; consumers have to read the key again';

/** Notes a record; tells where one came behind a later one of its key. */
function follow({ upTo, ahead }: Progress, { key, sequence, id }: LoggedFact): Drift[] {
  let last = upTo.get(key) ?? 0;
  const waiting = ahead.get(key);
  if (sequence <= last || waiting?.has(sequence)) return [];
  if (sequence > last + 1) {
    if (waiting) waiting.add(sequence);
    else ahead.set(key, new Set([sequence]));
    return [];
  }
  last = sequence;
  while (waiting?.delete(last + 1)) last += 1;
  upTo.set(key, last);
  if (!waiting) return [];
  if (waiting.size === 0) ahead.delete(key);
  return [
    {
      kind: 'facts_out_of_order',
      ids: { [keyName]: key, factId: id },
      says: 'a later fact of its key lies before it on the log',
      action: relayAction,
    },
  ];
}

/** What lies on the log is what was committed. */
async function judgeLogged(db: Queryable, page: readonly LoggedFact[]): Promise<Drift[]> {
  const { rows } = await db.query<{ key: string; sequence: number; fact: RecordedStep['fact'] }>(
    `select aggregate_id as key, version as sequence, fact from steps
     join unnest($1::text[], $2::integer[]) as logged (key, sequence)
       on aggregate_id = key and version = sequence`,
    [page.map(({ key }) => key), page.map(({ sequence }) => sequence)],
  );
  const committed = new Map(
    rows.map(({ key, sequence, fact }) => [factId(fact.type, key, sequence), fact.data] as const),
  );
  return page.flatMap(({ key, id, value }): Drift[] => {
    const data = committed.get(id);
    const ids = { [keyName]: key, factId: id };
    if (data === undefined) {
      const says = 'a fact on the log that the database has not';
      const cause = 'the database was set back, or somebody else writes to the topic';
      const action = 'consumers have acted on it: find out what really happened, at the provider';
      return [{ kind: 'fact_unfounded_on_log', ids, says, cause, action }];
    }
    if (isDeepStrictEqual(JSON.parse(value), data)) return [];
    const says = 'the fact on the log says something else than the database';
    return [
      { kind: 'fact_differs_on_log', ids, says, action: 'compare both with a backup, and with the provider' },
    ];
  });
}

/** What was committed lies on the log, but for what may still be on its way. */
async function findMissing(
  { pool, topic, lagMs }: LogToCheck,
  {
    since,
    progress,
    collected,
    beat,
  }: {
    since: string;
    progress: Progress;
    collected: Collected;
    beat: () => void;
  },
): Promise<void> {
  const missing = async (keys: readonly string[]): Promise<void> => {
    beat();
    const steps = await stepsOfAll(pool, keys);
    const lost = [...steps.values()]
      .flat()
      .filter(
        ({ aggregateId, version, ageMs }) =>
          ageMs > lagMs &&
          version > (progress.upTo.get(aggregateId) ?? 0) &&
          !progress.ahead.get(aggregateId)?.has(version),
      );
    if (lost.length === 0) return;
    const parked = await parkedKeys(pool, topic, keys);
    collected.add(...lost.map((step) => missingFact(step, parked.get(step.aggregateId))));
  };
  for await (const page of pagesSince(pool, since)) {
    if (collected.isFull) return;
    await missing(families.flatMap((family) => page[family]));
  }
  await missing([...progress.ahead.keys()].slice(0, PAGE));
}

async function parkedKeys(
  db: Queryable,
  topic: string,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await db.query<{ key: string; reason: string }>(
    'select key, reason from parked_keys where topic = $1 and key = any ($2)',
    [topic, keys],
  );
  return new Map(rows.map(({ key, reason }) => [key, reason]));
}

function missingFact(step: RecordedStep, parkedFor: string | undefined): Drift {
  const { aggregateId: key, version, fact, sent, ageMs } = step;
  const behind = `the relay has not come to it for ${Math.round(ageMs / 1_000)} s: it is down, or behind`;
  const cause = sent ? 'the relay has sent it: the log has lost it' : behind;
  return {
    kind: 'fact_missing_on_log',
    ids: { [keyName]: key, factId: factId(fact.type, key, version) },
    says: 'a committed fact is not on the log',
    cause: parkedFor === undefined ? cause : `its key is parked: ${parkedFor}`,
    action: parkedFor === undefined && !sent ? 'start the relay: it sends what waits by itself' : relayAction,
  };
}
