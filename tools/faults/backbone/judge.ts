import { readTopicRaw } from '../../../platform/kafka';
import { wait } from '../../../platform/wait';
import type { House } from './house';
import { poisonedKey, poisonedSequence, type Load } from './load';

const SETTLED_WITHIN_MS = 90_000;

/** What the consumer's database holds. */
async function consumed({ pool }: House): Promise<{ recorded: number; effects: number; parked: number }> {
  const { rows } = await pool.query<{ recorded: number; effects: number; parked: number }>(
    `select (select coalesce(sum(version), 0)::integer from aggregates) as recorded,
       (select count(*)::integer from effects) as effects, (select count(*)::integer from inbox_parked) as parked`,
  );
  return rows[0]!;
}

/** Facts that had their effect so far. */
export const effectsOf = async (house: House): Promise<number> => (await consumed(house)).effects;

/**
 * Once nobody writes any more: waits until everything has gone through by itself, and holds what is there against what
 * was recorded.
 * @returns what is wrong, a line each
 */
export async function judge(house: House, load: Pick<Load, 'answered'>): Promise<string[]> {
  const wrong: string[] = [];
  const deadline = Date.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const { recorded, effects, parked } = await consumed(house).catch(() => nothingYet);
    if (recorded > 0 && effects + parked >= recorded) break;
    if (Date.now() > deadline) {
      wrong.push(`of ${recorded} recorded facts ${effects} had their effect and ${parked} are parked`);
      break;
    }
    await wait(100);
  }
  const versions = await versionsOf(house);
  for (const [key, answered] of load.answered)
    if ((versions.get(key) ?? 0) < answered)
      wrong.push(`${key}: version ${answered} was answered, and ${versions.get(key) ?? 0} is stored`);
  wrong.push(...(await judgeKafka(house, versions)), ...(await judgeEffects(house, versions)));
  return wrong;
}

const nothingYet = { recorded: 0, effects: 0, parked: 0 };

async function versionsOf({ pool }: House): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ id: string; version: number }>('select id, version from aggregates');
  return new Map(rows.map(({ id, version }) => [id, version]));
}

/** What was recorded is in Kafka, nothing else is, and each key's facts came first in their order. */
async function judgeKafka({ kafka, topic }: House, versions: ReadonlyMap<string, number>): Promise<string[]> {
  const seen = new Map<string, number>();
  const wrong: string[] = [];
  await readTopicRaw({
    kafka,
    topic,
    onRecord({ key, headers }) {
      const name = String(key);
      const sequence = Number(String(headers['ce_sequence']));
      const last = seen.get(name) ?? 0;
      if (sequence > last + 1) wrong.push(`${name}: ${sequence} came to Kafka after ${last}`);
      if (sequence > last) seen.set(name, sequence);
    },
  });
  return [...wrong, ...differences('in Kafka', seen, versions)];
}

/** Each fact had its effect once and in order, but those of the poisoned key, which wait behind its third. */
async function judgeEffects(
  { pool, group, topic }: House,
  versions: ReadonlyMap<string, number>,
): Promise<string[]> {
  const { rows } = await pool.query<{ key: string; sequence: number }>(
    'select key, sequence from effects order by place',
  );
  const wrong: string[] = [];
  const seen = new Map<string, number>();
  for (const { key, sequence } of rows) {
    const last = seen.get(key) ?? 0;
    if (sequence !== last + 1) wrong.push(`${key}: ${sequence} had its effect after ${last}`);
    seen.set(key, sequence);
  }
  const parked = await pool.query<{ key: string; count: number; heads: number }>(
    `select key, count(*)::integer as count, (count(*) filter (where head))::integer as heads
     from inbox_parked where consumer_group = $1 and topic = $2 group by key`,
    [group, topic],
  );
  for (const { key, count, heads } of parked.rows) {
    if (key !== poisonedKey || heads !== 1) wrong.push(`${key}: ${count} parked, ${heads} of them dead`);
    if (seen.get(key) !== poisonedSequence - 1) wrong.push(`${key} is parked behind ${seen.get(key)}`);
    seen.set(key, (seen.get(key) ?? 0) + count);
  }
  return [...wrong, ...differences('consumed or parked', seen, versions)];
}

function differences(
  where: string,
  seen: ReadonlyMap<string, number>,
  versions: ReadonlyMap<string, number>,
): string[] {
  const keys = new Set([...seen.keys(), ...versions.keys()]);
  return [...keys]
    .filter((key) => seen.get(key) !== versions.get(key))
    .map((key) => `${key}: ${seen.get(key) ?? 0} ${where}, ${versions.get(key) ?? 0} recorded`);
}
