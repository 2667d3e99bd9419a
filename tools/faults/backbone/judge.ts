import { readTopicRaw } from '../../../platform/kafka';
import { wait } from '../../../platform/wait';
import { readLogOrder } from '../../logOrder';
import { openFactLog } from '../../replay/factLog';
import { replayWhole } from '../../replay/whole';
import type { Load } from './load';
import { deadLetterTopic, log, type OpenSite } from './site';
import { poisonedKey, poisonedSequence, things } from './things';

/** What is to hold, whatever has happened. */
export const invariants = {
  answered: 'what was answered is stored',
  goesOn: 'work goes on by itself, and everything goes through',
  recorded: 'facts recorded = distinct facts in Kafka',
  order: 'per key 1..n in Kafka, in order at first occurrence',
  effects: 'per key each effect once and in order',
  consumed: 'consumed = processed + parked + dead',
  deadLetters: 'dead-letter topic = parked heads',
  rebuilt: 'projection = rebuild from zero',
} as const;
export type Invariant = keyof typeof invariants;

/** Of what is missing at the end: what has been lost, while all else may only be late. */
export const symptoms = {
  hole: 'a fact is not in Kafka, and a later one of its key is',
  lost: 'a fact has no effect, and a later one of its key has',
} as const;
export type Symptom = keyof typeof symptoms;

export interface Violation {
  readonly invariant: Invariant;
  /** Where it is one of these. */
  readonly symptom?: Symptom;
  /** What was seen. */
  readonly seen: string;
}

export const asText = ({ invariant, seen }: Violation): string => `${invariants[invariant]}: ${seen}`;

const SETTLED_WITHIN_MS = 90_000;

interface Counts {
  readonly recorded: number;
  readonly effects: number;
  readonly processed: number;
  readonly parked: number;
  readonly dead: number;
}

/** What the databases of writer and consumer hold; a fact that a relay has repeated is parked as often as it came. */
async function countsOf({ pool, group }: OpenSite): Promise<Counts> {
  const { rows } = await pool.query<Counts>(
    `select (select coalesce(sum(version), 0)::integer from aggregates) as recorded,
       (select count(*)::integer from effects) as effects,
       (select coalesce(sum(facts), 0)::integer from inbox_positions where consumer_group = $1) as processed,
       (select count(distinct fact_id)::integer from inbox_parked w where consumer_group = $1 and not exists (
          select from inbox_parked h where h.consumer_group = $1 and h.head and h.fact_id = w.fact_id)) as parked,
       (select count(*)::integer from inbox_parked where consumer_group = $1 and head) as dead`,
    [group],
  );
  return rows[0]!;
}

/** Facts that had their effect so far. */
export const effectsOf = async (site: OpenSite): Promise<number> => (await countsOf(site)).effects;

/**
 * Once nobody writes any more: waits until everything has gone through by itself, and holds what is there against what
 * was recorded.
 * @param settledWithinMs how long that may take (90 s)
 */
export async function judge(
  site: OpenSite,
  { answered }: Pick<Load, 'answered'>,
  { settledWithinMs = SETTLED_WITHIN_MS } = {},
): Promise<Violation[]> {
  const wrong: Violation[] = [];
  const deadline = Date.now() + settledWithinMs;
  for (;;) {
    const counts = await countsOf(site).catch(() => null);
    if (counts && counts.recorded > 0 && counts.effects + counts.parked + counts.dead >= counts.recorded)
      break;
    if (Date.now() > deadline) {
      wrong.push({ invariant: 'goesOn', seen: JSON.stringify(counts) });
      break;
    }
    await wait(100);
  }
  const versions = await versionsOf(site);
  for (const [key, version] of answered)
    if ((versions.get(key) ?? 0) < version)
      wrong.push({ invariant: 'answered', seen: `${key}: ${version}, stored ${versions.get(key) ?? 0}` });
  const parts = await Promise.all([
    judgeLog(site, versions),
    judgeEffects(site),
    judgeDeadLetters(site),
    judgeRebuilt(site),
  ]);
  return [...wrong, ...parts.flat()];
}

async function versionsOf({ pool }: OpenSite): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ id: string; version: number }>('select id, version from aggregates');
  return new Map(rows.map(({ id, version }) => [id, version]));
}

async function judgeLog(
  { kafka, topic }: OpenSite,
  versions: ReadonlyMap<string, number>,
): Promise<Violation[]> {
  const { keys, outOfOrder } = await readLogOrder(kafka, topic);
  const wrong = outOfOrder.map((seen): Violation => ({ invariant: 'order', seen }));
  for (const key of new Set([...keys.keys(), ...versions.keys()])) {
    const { highest, missing } = keys.get(key) ?? { highest: 0, missing: 0 };
    const recorded = versions.get(key) ?? 0;
    if (highest === recorded && missing === 0) continue;
    const seen = `${key}: ${recorded} recorded, up to ${highest} in Kafka, ${missing} missing`;
    wrong.push({ invariant: 'recorded', seen, ...(missing > 0 && { symptom: 'hole' as const }) });
  }
  return wrong;
}

/** Each fact had its effect once and in order, but those of the poisoned key, which wait behind its third. */
async function judgeEffects(site: OpenSite): Promise<Violation[]> {
  const { pool, group, topic } = site;
  const wrong: Violation[] = [];
  const { recorded, effects, processed, parked, dead } = await countsOf(site);
  if (effects !== processed || processed + parked + dead !== recorded) {
    const seen = `${recorded} recorded, ${processed} processed (${effects} effects), ${parked} parked, ${dead} dead`;
    wrong.push({ invariant: 'consumed', seen });
  }
  const { rows } = await pool.query<{ key: string; sequence: number }>(
    'select key, sequence from effects order by place',
  );
  const last = new Map<string, number>();
  const passedOver = new Set<string>();
  for (const { key, sequence } of rows) {
    const before = last.get(key) ?? 0;
    if (sequence !== before + 1)
      wrong.push({ invariant: 'effects', seen: `${key}: ${sequence} after ${before}` });
    passedOver.delete(`${key}/${sequence}`);
    for (let passed = before + 1; passed < sequence; passed++) passedOver.add(`${key}/${passed}`);
    last.set(key, Math.max(sequence, before));
  }
  for (const fact of passedOver)
    wrong.push({ invariant: 'consumed', symptom: 'lost', seen: `${fact} has no effect, a later one has` });
  const { rows: keys } = await pool.query<{ key: string; heads: number }>(
    `select key, (count(*) filter (where head))::integer as heads from inbox_parked
     where consumer_group = $1 and topic = $2 group by key`,
    [group, topic],
  );
  for (const { key, heads } of keys) {
    const behind = last.get(key) ?? 0;
    if (key !== poisonedKey || heads !== 1 || behind !== poisonedSequence - 1)
      wrong.push({ invariant: 'consumed', seen: `${key} is parked behind ${behind}, ${heads} dead` });
  }
  return wrong;
}

/** The topic has each of the parked heads, however often, and no other. */
async function judgeDeadLetters(site: OpenSite): Promise<Violation[]> {
  const { pool, kafka, group } = site;
  const letters = new Set<string>();
  await readTopicRaw({
    ...{ kafka, topic: deadLetterTopic(site) },
    onRecord: ({ headers }) => void letters.add(String(headers['ce_id'])),
  });
  const { rows } = await pool.query<{ id: string }>(
    'select fact_id as id from inbox_parked where consumer_group = $1 and head',
    [group],
  );
  const heads = new Set(rows.map(({ id }) => id));
  return [...new Set([...letters, ...heads])]
    .filter((id) => letters.has(id) !== heads.has(id))
    .map((id) => ({
      invariant: 'deadLetters' as const,
      seen: `${id} is ${heads.has(id) ? 'parked, and not in the topic' : 'in the topic, and not parked'}`,
    }));
}

/** As `npx hailway replay --check` has it: all facts from the first one on make the same rows. */
async function judgeRebuilt({ kafka, pool, databaseUrl, group, topic }: OpenSite): Promise<Violation[]> {
  const facts = await openFactLog({ kafka, audit: pool, auditGroup: 'nobody', topics: [topic], log });
  try {
    const { hashes } = await replayWhole({
      ...{ projection: things, databaseUrl, group, log: facts },
      ...{ isNew: false, checkOnly: true, say: () => {} },
    });
    if (hashes !== undefined && hashes.live === hashes.rebuilt) return [];
    return [{ invariant: 'rebuilt', seen: `${hashes?.live}, rebuilt ${hashes?.rebuilt}` }];
  } catch (error) {
    return [{ invariant: 'rebuilt', seen: (error as Error).message }];
  } finally {
    await facts.close();
  }
}
