import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createFactProducer, waitForCoordinator } from '../../platform/kafka';
import { runRelay, type RelayOptions } from '../../platform/relay';
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
  private readonly mortals: ChildProcess[] = [];

  constructor(private readonly topicConfig: Readonly<Record<string, string>>) {}

  async setUp(): Promise<void> {
    this.db = await testDatabase();
    this.topics.push((this.topic = await testTopic(this.kafka, 3, unique('relay'), this.topicConfig)));
  }

  async tearDown(): Promise<void> {
    for (const child of this.mortals.splice(0)) child.kill('SIGKILL');
    await stopAll();
    await this.db.drop();
  }

  deleteTopics(): Promise<void> {
    return deleteTopics(this.kafka, this.topics);
  }

  relaying(options?: Partial<RelayOptions>): Running {
    return startRelay(this.db.url, options);
  }

  /** A relay in a process of its own that dies when so many sends were acknowledged, or with the test; 0 for the latter. */
  mortal(sends: number): ChildProcess {
    const child = fork(join(__dirname, 'mortalRelay.ts'), {
      execArgv: ['-r', join(__dirname, 'typescript.cjs')],
      env: { ...process.env, RELAY_DATABASE_URL: this.db.url, MORTAL_SENDS: String(sends) },
    });
    this.mortals.push(child);
    return child;
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

/** A relay of an owning database in this process, which looks for facts every 10 ms where nobody tells it of them. */
export function startRelay(databaseUrl: string, options: Partial<RelayOptions> = {}): Running {
  const { kafka = testKafka() } = options;
  return running((signal) =>
    runRelay({
      ...{ databaseUrl, database: 'test', kafka, pollMs: 10, signal, log: quiet },
      createProducer: () => createFactProducer(kafka, { log: quiet }),
      ...options,
    }),
  );
}

/** Of a topic that takes less than outboxes do: what it refuses alone can be committed nevertheless. */
export const takesLess = { 'max.message.bytes': '950000' };
/** A fact's data that such a topic refuses. */
export const tooLarge = { filling: 'x'.repeat(1_000_000) };

/** The bench of a test file: a database and a topic of its own for each test, gone after it. */
export function useRelay(topicConfig: Readonly<Record<string, string>> = {}): RelayBench {
  const bench = new RelayBench(topicConfig);
  beforeAll(() => waitForCoordinator(bench.kafka), 60_000);
  beforeEach(() => bench.setUp());
  afterEach(() => bench.tearDown());
  afterAll(() => bench.deleteTopics());
  return bench;
}
