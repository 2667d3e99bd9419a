import { createFactProducer, createKafka } from '../../platform/kafka';
import { createMetrics } from '../../platform/metrics';
import { observeInbox } from '../../platform/metrics/inbox';
import { observeProducer } from '../../platform/metrics/producer';
import { observeRelays } from '../../platform/metrics/relay';
import { runInbox } from '../../platform/inbox';
import type { Batch } from '../../platform/observers';
import { runRelay } from '../../platform/relay';
import {
  deleteTopics,
  eventually,
  quiet,
  factRecord,
  record,
  running,
  stopAll,
  testDatabase,
  testKafka,
  testTopic,
  unique,
  type TestDatabase,
} from '../support/backbone';

/** Facts on their way, as the metrics of the processes show it that bring and take them. */

const kafka = testKafka();
const group = unique('audit');
const database = 'rides';
let db: TestDatabase;
let topic: string;
let twoPartitions: string;
/** What may pass. */
const away = Object.assign(new Error('away'), { code: '53300' });

beforeAll(async () => {
  db = await testDatabase();
  topic = await testTopic(kafka, 1);
  twoPartitions = await testTopic(kafka, 2);
  await testTopic(kafka, 1, `${group}.dead-letter`);
});
afterEach(stopAll);
afterAll(async () => {
  await db.drop();
  await deleteTopics(kafka, [topic, twoPartitions, `${group}.dead-letter`]);
});

type Shown = Record<string, number>;
/** The values by name and labels, of the metrics whose names begin like this. */
const shown = async (metrics: ReturnType<typeof createMetrics>, start: RegExp): Promise<Shown> =>
  Object.fromEntries(
    (await metrics.registry.metrics())
      .split('\n')
      .filter((line) => start.test(line))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );

/** A stopwatch: the seconds since it was made. */
const stopwatch =
  (startedAt = performance.now()) =>
  (): number =>
    (performance.now() - startedAt) / 1_000;
/** What took time, and no more of it than there was. */
const expectTime = (seconds: number | undefined, within: number): void => {
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThan(within);
};

test('how far a consumer is behind, what it does with facts, and what it has put aside', async () => {
  const elapsed = stopwatch();
  const metrics = createMetrics('audit');
  const of = { group, topics: [topic] };
  const producer = createFactProducer(kafka, { log: quiet, observer: observeProducer(metrics) });
  await producer.send([1, 2].map((n) => factRecord(topic, 'a', n)));
  const observer = observeInbox({ metrics, kafka, pool: db.subject, ...of, freshness: { freshForMs: 0 } });
  const place = `group="${group}",topic="${topic}",partition="0"`;
  const behind = await eventually(
    () => shown(metrics, /^(kafka|hailway)_consumer_/),
    (seen) => seen[`kafka_consumer_group_lag{${place}}`] === 2,
  );
  // Nobody has it in hand: the age of what is behind counts from the first look at it.
  expect(behind[`hailway_consumer_lag_seconds{${place}}`]).toBeGreaterThanOrEqual(0);
  expect(behind[`hailway_consumer_lag_seconds{${place}}`]).toBeLessThan(elapsed());

  let broken = true;
  await producer.send([factRecord(topic, 'poisonous', 1)]);
  await producer.disconnect();
  running((signal) =>
    runInbox({
      ...{ ...of, pool: db.subject, kafka, signal, log: quiet, observer },
      skip: (fact) => (fact.sequence === 2 ? 'not_subscribed' : null),
      handle: (_tx, facts) => {
        if (broken) return Promise.reject(away);
        return facts.some(({ key }) => key === 'poisonous')
          ? Promise.reject(Object.assign(new Error('no'), { code: 'cannot_take_this' }))
          : Promise.resolve();
      },
    }),
  );
  const named = `group="${group}",topic="${topic}"`;
  const stuck = await eventually(
    () => shown(metrics, /^(kafka|hailway|messaging)_/),
    (seen) =>
      // Four: the whole batch three times, and the fact by itself that holds it up.
      (seen[`hailway_inbox_failures_total{${named},error_type="53300"}`] ?? 0) >= 4 &&
      (seen[`hailway_consumer_lag_seconds{${place}}`] ?? 0) > 0.2,
  );
  expect(stuck).toMatchObject({
    [`hailway_consumer_rebalances_total{group="${group}"}`]: 1,
    [`hailway_consumer_assigned_partitions{group="${group}"}`]: 1,
    [`hailway_dead_letter_depth{group="${group}"}`]: 0,
    [`kafka_consumer_group_lag{${place}}`]: 3,
  });
  expectTime(stuck[`hailway_consumer_lag_seconds{${place}}`], elapsed());

  broken = false;
  await eventually(
    () => shown(metrics, /^kafka_/),
    (seen) => seen[`kafka_consumer_group_lag{${place}}`] === 0,
  );
  // Counters and what is asked for are of one moment only where nothing happens any more.
  const done = await shown(metrics, /^(kafka|hailway|messaging)_/);
  const process = `messaging_system="kafka",messaging_operation_name="process",messaging_consumer_group_name="${group}",messaging_destination_name="${topic}"`;
  expect(done).toMatchObject({
    [`kafka_consumer_group_lag{${place}}`]: 0,
    [`hailway_consumer_lag_seconds{${place}}`]: 0,
    [`hailway_dead_letter_depth{group="${group}"}`]: 1,
    [`hailway_inbox_facts_total{${named},outcome="applied",reason=""}`]: 1,
    [`hailway_inbox_facts_total{${named},outcome="skipped",reason="not_subscribed"}`]: 1,
    [`hailway_inbox_facts_total{${named},outcome="dead",reason="cannot_take_this"}`]: 1,
    [`hailway_inbox_parked_keys{group="${group}"}`]: 1,
    [`hailway_inbox_parked_facts{group="${group}"}`]: 1,
    [`messaging_client_sent_messages_total{messaging_system="kafka",messaging_operation_name="send",messaging_destination_name="${topic}",messaging_destination_partition_id="0"}`]: 3,
    [`messaging_client_consumed_messages_total{${process},messaging_destination_partition_id="0"}`]: 3,
    // The fact that held the others up, and then those without the one that is dead.
    [`messaging_process_duration_seconds_count{${process}}`]: 2,
    [`messaging_process_duration_seconds_count{${process},error_type="cannot_take_this"}`]: 1,
    [`messaging_process_duration_seconds_count{${process},error_type="53300"}`]:
      done[`hailway_inbox_failures_total{${named},error_type="53300"}`],
    [`messaging_client_operation_duration_seconds_count{messaging_system="kafka",messaging_operation_name="send"}`]: 2,
  });
  for (const error of ['', ',error_type="cannot_take_this"', ',error_type="53300"'])
    expectTime(done[`messaging_process_duration_seconds_sum{${process}${error}}`], elapsed());
});

test('how long a partition is behind says nothing of work that is not this member’s any more', async () => {
  const metrics = createMetrics('audit');
  const of = { group: unique('left'), topics: [twoPartitions] };
  const producer = createFactProducer(kafka, { log: quiet });
  await producer.send(['a', 'b', 'c', 'd', 'e', 'f'].map((key) => factRecord(twoPartitions, key, 1)));
  await producer.disconnect();
  const observer = observeInbox({ metrics, kafka, pool: db.subject, ...of, freshness: { freshForMs: 0 } });
  const hoursBehind = async (): Promise<number[]> => {
    const seen = Object.entries(await shown(metrics, /^hailway_consumer_lag_seconds/));
    return seen.sort().map(([, seconds]) => Math.floor(seconds / 3_600));
  };
  const tried = new Map<number, Batch>();
  const inbox = running((signal) =>
    runInbox({
      ...{ ...of, pool: db.subject, kafka, signal, log: quiet, deadLetters: null },
      handle: () => Promise.reject(away),
      observer: {
        ...observer,
        during(batch, work) {
          const records = batch.records.map((one) => ({ ...one, timestamp: Date.now() - 3_600_000 }));
          tried.set(batch.partition, { ...batch, records });
          return observer.during(tried.get(batch.partition)!, work);
        },
      },
    }),
  );
  await eventually(hoursBehind, (hours) => hours.join() === '1,1');
  await inbox.stop();
  expect(await hoursBehind()).toEqual([0, 0]);

  for (const batch of tried.values())
    await observer.during(batch, () => Promise.reject(away)).catch(() => {});
  expect(await hoursBehind()).toEqual([1, 1]);
  observer.assigned({ [twoPartitions]: [1] });
  expect(await hoursBehind()).toEqual([0, 1]);
});

test('what waits in the outbox, and what the relay and its producer have sent', async () => {
  const elapsed = stopwatch();
  const metrics = createMetrics('relay');
  const watch = observeRelays(metrics, { freshForMs: 0 });
  const producer = observeProducer(metrics);
  const observer = watch(database, db.subject);
  const data = { city: 'Zürich' };
  for (const key of ['b', 'b']) await record(db.pool, topic, key, data);
  const oldest = `hailway_outbox_oldest_unpublished_seconds{database="${database}"}`;
  const waiting = await shown(metrics, /^hailway_(outbox|relay)_/);
  expectTime(waiting[oldest], elapsed());
  expect(waiting).toMatchObject({
    [`hailway_relay_parked_keys{database="${database}"}`]: 0,
    [`hailway_relay_facts_total{database="${database}"}`]: 0,
    [`hailway_relay_gaps_total{database="${database}"}`]: 0,
  });

  const encoding = 'hailway_producer_encoding_seconds_total';
  const encodedBefore = (await shown(metrics, /^hailway_producer_/))[encoding]!;
  const relaying = stopwatch();
  running((signal) =>
    runRelay({
      ...{ databaseUrl: db.url, database, kafka, signal, log: quiet, observer },
      createProducer: () => createFactProducer(kafka, { log: quiet, observer: producer }),
    }),
  );
  await eventually(
    () => shown(metrics, /^hailway_outbox_/),
    (seen) => seen[oldest] === 0,
  );
  const sent = await shown(metrics, /^(hailway|messaging)_/);
  const of = `messaging_system="kafka",messaging_operation_name="send"`;
  expect(sent).toMatchObject({
    [`hailway_relay_facts_total{database="${database}"}`]: 2,
    [`hailway_relay_bytes_total{database="${database}"}`]: 2 * Buffer.byteLength(JSON.stringify(data)),
    [`hailway_relay_batch_seconds_count{database="${database}"}`]: 1,
    [`hailway_relay_refused_total{database="${database}"}`]: 0,
    [`hailway_relay_gaps_total{database="${database}"}`]: 0,
    [`messaging_client_sent_messages_total{${of},messaging_destination_name="${topic}",messaging_destination_partition_id="0"}`]: 2,
    [`messaging_client_operation_duration_seconds_count{${of}}`]: 1,
    [`hailway_collector_up{collector="outbox of ${database}"}`]: 1,
  });
  expectTime(sent[`hailway_relay_batch_seconds_sum{database="${database}"}`], relaying());
  expectTime(sent[`messaging_client_operation_duration_seconds_sum{${of}}`], relaying());
  expectTime(sent[encoding]! - encodedBefore, relaying());
});

test('a scrape is short, and shows the rest, while Kafka and Postgres are away', async () => {
  const cpuBefore = process.cpuUsage();
  const metrics = createMetrics('audit');
  const away = createKafka({ brokers: ['127.0.0.1:9'], clientId: 'test', log: quiet });
  const gone = await testDatabase(1);
  await gone.drop();
  observeInbox({ metrics, kafka: away, pool: gone.subject, group, topics: [topic] });
  observeRelays(metrics)(database, gone.subject);
  const startedAt = performance.now();
  const seen = await shown(metrics, /^[a-z]/);
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  expect(seen).toMatchObject({
    [`hailway_collector_up{collector="lag of ${group}"}`]: 0,
    [`hailway_collector_up{collector="parked facts of ${group}"}`]: 0,
    [`hailway_consumer_rebalances_total{group="${group}"}`]: 0,
  });
  const { user, system } = process.cpuUsage(cpuBefore);
  expectTime(seen['process_cpu_seconds_total'], (user + system) / 1e6);
  expect(
    Object.keys(seen).filter((name) => /lag|oldest|depth/.test(name) && !/collector|nodejs/.test(name)),
  ).toEqual([]);
});
