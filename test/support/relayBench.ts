import { createFactProducer, waitForCoordinator } from '../../platform/kafka';
import { runRelay } from '../../platform/relay';
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

/** An owning database, a topic for its facts, and the relays between the two. */
export class RelayBench {
  readonly kafka = testKafka();
  db!: TestDatabase;
  topic!: string;
  private readonly topics: string[] = [];

  async setUp(): Promise<void> {
    this.db = await testDatabase();
    this.topics.push((this.topic = await testTopic(this.kafka, 3, unique('relay'))));
  }

  async tearDown(): Promise<void> {
    await stopAll();
    await this.db.drop();
  }

  deleteTopics(): Promise<void> {
    return deleteTopics(this.kafka, this.topics);
  }

  /** @param pollMs how long it waits where nobody tells it of facts (10) */
  relaying(pollMs?: number): Running {
    return startRelay(this.db.url, pollMs);
  }

  /** Facts sent or parked, as the relay has stored it. */
  readonly settled = async (): Promise<number> => {
    const { rows } = await this.db.pool.query<{ n: number }>(
      `select (select sum(facts) from relay_lanes)::bigint + (select count(*) from parked_facts) as n`,
    );
    return rows[0]!.n;
  };

  async facts(): Promise<number> {
    return (await this.db.pool.query<{ n: number }>('select count(*) as n from outbox')).rows[0]!.n;
  }

  /** Waits until all that is in the outbox is sent or parked. */
  allSettled(): Promise<number> {
    return eventually(
      async () => (await this.settled()) - (await this.facts()),
      (missing) => missing >= 0,
      40_000,
    );
  }
}

/** A relay of an owning database in this process; `kafka` as it reaches it. */
export function startRelay(databaseUrl: string, pollMs = 10, kafka = testKafka()): Running {
  return running((signal) =>
    runRelay({
      ...{ databaseUrl, database: 'test', kafka, pollMs, signal, log: quiet },
      createProducer: () => createFactProducer(kafka, { log: quiet }),
    }),
  );
}

/** The bench of a test file: a database and a topic of its own for each test, gone after it. */
export function useRelay(): RelayBench {
  const bench = new RelayBench();
  beforeAll(() => waitForCoordinator(bench.kafka), 60_000);
  beforeEach(() => bench.setUp());
  afterEach(() => bench.tearDown());
  afterAll(() => bench.deleteTopics());
  return bench;
}
