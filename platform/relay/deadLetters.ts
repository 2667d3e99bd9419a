import {
  inTime,
  upToLimit,
  type DeadLetter,
  type DeadLetterDeed,
  type DeadLetterFilter,
  type DeadLetterOffice,
} from '../deadLetters';
import type { KafkaLog } from '../kafka/client';
import type { Pool } from '../postgres';
import { wait } from '../wait';

export interface RelayDeadLettersOptions {
  /** The owning databases, by name. */
  readonly databases: Readonly<Record<string, Pool>>;
  /** What topics begin with in this installation. */
  readonly topicPrefix: string;
  readonly log: Pick<KafkaLog, 'info'>;
}

/** So often it is looked whether a lane's owner has done what it was asked for. */
const lookEveryMs = 100;
const notGivenUp =
  'it is committed, so every consumer would find a gap: let Kafka take it (npx hailway topics) and replay';

interface Found extends DeadLetter {
  readonly database: string;
}

/**
 * The way out for keys that relays have parked, because Kafka refused a fact of theirs. An operator's wish is written
 * down, and the owner of the key's lane sends what waits. What is committed is never discarded.
 */
export function createRelayDeadLetters({
  databases,
  topicPrefix,
  log,
}: RelayDeadLettersOptions): DeadLetterOffice {
  async function find(filter: DeadLetterFilter) {
    const asked = { ...filter, limit: filter.limit + 1 };
    const found = await Promise.all(
      Object.entries(databases).map(([name, pool]) => findParked(pool, name, topicPrefix, asked)),
    );
    const sorted = found.flat().sort((a, b) => (a.deadSince < b.deadSince ? -1 : 1));
    return upToLimit(sorted, filter.limit);
  }

  /** Asks for a key's facts to be sent, and waits until they are, or are refused again. */
  async function release(letter: Found, isTime: () => boolean): Promise<DeadLetterDeed> {
    const { database, id, topic, key, waiting } = letter;
    const pool = databases[database]!;
    await pool.query('update parked_keys set release_asked_at = now() where topic = $1 and key = $2', [
      topic,
      key,
    ]);
    for (;;) {
      const { rows } = await pool.query<{ reason: string; asked: boolean; left: number }>(
        `select reason, release_asked_at is not null as asked,
           (select count(*) from parked_facts f where f.topic = k.topic and f.key = k.key) as left
         from parked_keys k where topic = $1 and key = $2`,
        [topic, key],
      );
      const [parked] = rows;
      const applied = Math.max(0, waiting + 1 - (parked?.left ?? 0));
      if (!parked) return { id, key, outcome: 'replayed', applied, reason: null };
      if (!parked.asked) return { id, key, outcome: 'failed', applied, reason: parked.reason };
      if (!isTime()) return { id, key, outcome: 'under_way', applied, reason: null };
      await wait(lookEveryMs);
    }
  }

  return {
    async list(filter) {
      const { letters, more } = await find(filter);
      return { deadLetters: letters.map(withoutDatabase), more };
    },
    async show(id) {
      const [letter] = (await find({ ids: [id], limit: 1 })).letters;
      if (!letter) return null;
      const { rows } = await databases[letter.database]!.query<{
        id: number;
        headers: Record<string, string>;
        value: string;
      }>(
        `select outbox_id as id, headers, value from parked_facts where topic = $1 and key = $2
         order by place limit 101`,
        [letter.topic, letter.key],
      );
      const [head, ...behind] = rows;
      if (!head) return null;
      return {
        ...withoutDatabase(letter),
        stack: null,
        headers: Object.fromEntries(Object.entries(head.headers).map(([name, value]) => [name, [value]])),
        value: head.value,
        behind: behind.map(({ id: offset, headers }) => ({ factId: headers['ce_id'] ?? null, offset })),
      };
    },
    async replay(order) {
      return inTime(await find(order), order, async (letter, isTime) => {
        const deed = await release(letter, isTime);
        log.info({ ...letter, ...deed }, 'dead letter replayed');
        return deed;
      });
    },
    async discard(order) {
      return inTime(await find(order), order, ({ id, key }) =>
        Promise.resolve({ id, key, outcome: 'failed', applied: 0, reason: notGivenUp }),
      );
    },
  };
}

const withoutDatabase = ({ database: _, ...letter }: Found): DeadLetter => letter;

/** Parked keys as dead letters: `offset` is the fact's id in the outbox, which has no partitions. */
async function findParked(
  pool: Pool,
  database: string,
  prefix: string,
  filter: DeadLetterFilter,
): Promise<Found[]> {
  const ids = filter.ids?.flatMap((id) =>
    id.startsWith(`${database}:`) ? id.slice(database.length + 1) : [],
  );
  const { rows } = await pool.query<Omit<Found, 'id' | 'consumer' | 'database'>>(
    `select k.topic, 0 as partition, k.outbox_id as "offset", k.key, headers ->> 'ce_id' as "factId",
       headers ->> 'ce_type' as type, (headers ->> 'ce_sequence')::bigint as sequence, reason, 1 as attempts,
       parked_at as "deadSince",
       (select greatest(count(*) - 1, 0) from parked_facts w where w.topic = k.topic and w.key = k.key) as waiting
     from parked_keys k left join lateral (
       select headers from parked_facts f where f.topic = k.topic and f.key = k.key order by place limit 1
     ) as head on true
     where ($1::text is null or k.topic = $1) and ($2::text is null or k.key = $2)
       and ($3::text is null or headers ->> 'ce_type' = $3) and ($4::text is null or strpos(reason, $4) > 0)
       and ($5::timestamptz is null or parked_at >= $5)
       and ($6::text[] is null or k.topic || ':' || k.outbox_id = any ($6))
     order by parked_at limit $7`,
    [
      ...[filter.topic === undefined ? null : prefix + filter.topic, filter.key ?? null, filter.type ?? null],
      ...[filter.reason ?? null, filter.since ?? null, ids ?? null, filter.limit],
    ],
  );
  return rows.map((row) => ({
    ...row,
    ...{ database, id: `${database}:${row.topic}:${row.offset}`, consumer: 'relay' },
  }));
}
