import { runInbox, type Handle, type InboxOptions } from '../../platform/inbox';
import { createFactProducer, waitForCoordinator, type FactProducer } from '../../platform/kafka';
import {
  deleteTopics,
  eventually,
  quiet,
  running,
  stopAll,
  testDatabase,
  testKafka,
  testTopic,
  unique,
  type Running,
  type TestDatabase,
} from './backbone';

/** The effect: one row a fact, so that a second effect is seen. */
export const insertEffects: Handle = async (tx, facts) => {
  await tx.query(`insert into effects (fact_id) select unnest($1::text[])`, [facts.map(({ id }) => id)]);
};

/** A consumer's database, group, topic and dead-letter topic, and what has become of them. */
export class InboxBench {
  readonly kafka = testKafka();
  db!: TestDatabase;
  producer!: FactProducer;
  group!: string;
  topic!: string;
  private readonly topics: string[] = [];

  async setUp(): Promise<void> {
    this.producer = createFactProducer(this.kafka, { log: quiet });
    this.db = await testDatabase();
    this.group = unique('inbox');
    // Larger than a fact may be: what is beyond it comes from elsewhere.
    this.topic = await testTopic(this.kafka, 3, unique('inbox'), { 'max.message.bytes': '4000000' });
    const deadLetters = `${this.group}.dead-letter`;
    this.topics.push(
      this.topic,
      await testTopic(this.kafka, 3, deadLetters, { 'max.message.bytes': '4000000' }),
    );
  }

  async tearDown(): Promise<void> {
    await stopAll();
    await this.producer.disconnect();
    await this.db.drop();
  }

  deleteTopics(): Promise<void> {
    return deleteTopics(this.kafka, this.topics);
  }

  consume(handle: Handle = insertEffects, options: Partial<InboxOptions> = {}): Running {
    const { group, topic, kafka } = this;
    return running((signal) =>
      runInbox({
        group,
        topics: [topic],
        pool: this.db.subject,
        kafka,
        handle,
        signal,
        log: quiet,
        ...options,
      }),
    );
  }

  /** Ids of the facts that had an effect, in order. */
  async effects(): Promise<string[]> {
    const { rows } = await this.db.pool.query<{ id: string }>(
      'select fact_id as id from effects order by place',
    );
    return rows.map(({ id }) => id);
  }

  async parked(): Promise<{ key: string; factId: string | null; head: boolean; reason: string | null }[]> {
    const { rows } = await this.db.pool.query<Awaited<ReturnType<InboxBench['parked']>>[number]>(
      `select key, fact_id as "factId", head, reason from inbox_parked order by topic, partition, "offset"`,
    );
    return rows;
  }

  /** Waits until so many records are behind the stored positions. */
  async readTo(count: number): Promise<void> {
    const position = async (): Promise<number> => {
      const { rows } = await this.db.pool.query<{ n: number }>(
        'select coalesce(sum(next_offset), 0)::bigint as n from inbox_positions',
      );
      return rows[0]!.n;
    };
    await eventually(position, (n) => n >= count, 30_000);
  }
}

/** The bench of a test file: new servers' worth of names for each test, gone after it. */
export function useInbox(): InboxBench {
  const bench = new InboxBench();
  beforeAll(() => waitForCoordinator(bench.kafka), 60_000);
  beforeEach(() => bench.setUp());
  afterEach(() => bench.tearDown());
  afterAll(() => bench.deleteTopics());
  return bench;
}

/** The sequences of a key among ids of facts. */
export const effectsOf = (ids: string[], key: string): number[] =>
  ids.filter((id) => id.startsWith(`thing.changed/${key}/`)).map((id) => Number(id.split('/')[2]));

export const ids = (key: string, sequences: number[]): string[] =>
  sequences.map((n) => `thing.changed/${key}/${n}`);
