import type { DeadLetterDeeds } from '../../platform/deadLetters';
import { setTopicConfigs } from '../../platform/kafka';
import { createMetrics } from '../../platform/metrics';
import { observeRelays } from '../../platform/metrics/relay';
import { createRelayDeadLetters } from '../../platform/relay/deadLetters';
import { eventually, firstOccurrences, quiet, readAll, record, upTo } from '../support/backbone';
import { takesLess, tooLarge, useRelay } from '../support/relayBench';

/** What Kafka refuses by itself, and the way out for it. */

const bench = useRelay(takesLess);

test('a fact that Kafka refuses alone parks its key: later ones wait, other keys go on', async () => {
  await record(bench.db.pool, `${bench.topic}.nowhere`, 'astray');
  await record(bench.db.pool, bench.topic, 'large');
  await record(bench.db.pool, bench.topic, 'other');
  await record(bench.db.pool, bench.topic, 'large', tooLarge);
  await record(bench.db.pool, bench.topic, 'other');
  await record(bench.db.pool, bench.topic, 'large');
  const relay = bench.relaying();
  await bench.allSettled();
  await record(bench.db.pool, bench.topic, 'large');
  await record(bench.db.pool, bench.topic, 'other');
  await bench.allSettled();
  await relay.stop();

  const { byKey } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect(Object.fromEntries(byKey)).toEqual({ large: [1], other: [1, 2, 3] });
  const { rows: parked } = await bench.db.pool.query(
    'select topic, key, reason from parked_keys order by key',
  );
  expect(parked).toEqual([
    { topic: `${bench.topic}.nowhere`, key: 'astray', reason: 'UNKNOWN_TOPIC_OR_PARTITION' },
    { topic: bench.topic, key: 'large', reason: 'MESSAGE_TOO_LARGE' },
  ]);
  const { rows: waiting } = await bench.db.pool.query<{ sequence: string }>(
    `select headers ->> 'ce_sequence' as sequence from parked_facts where key = 'large' order by place`,
  );
  expect(waiting.map(({ sequence }) => sequence)).toEqual(['2', '3', '4']);
});

test('a fact that Kafka refuses is an alarm: told with its key and its place, and counted', async () => {
  const errors: unknown[] = [];
  const metrics = createMetrics('relay');
  const observer = observeRelays(metrics, { freshForMs: 0 })('test', bench.db.pool);
  await record(bench.db.pool, bench.topic, 'other');
  await record(bench.db.pool, bench.topic, 'large', tooLarge);
  await record(bench.db.pool, bench.topic, 'large');
  const relay = bench.relaying({
    observer,
    log: {
      ...{ debug() {}, info() {}, warn() {} },
      error: (fields: object, message?: string) => void errors.push([message, fields]),
    },
  });
  await bench.allSettled();
  await relay.stop();
  const { rows } = await bench.db.pool.query<{ id: number }>(
    `select id from outbox where key = 'large' order by id limit 1`,
  );
  const { topic } = bench;
  const refusal = {
    database: 'test',
    topic,
    key: 'large',
    outboxId: rows[0]!.id,
    reason: 'MESSAGE_TOO_LARGE',
  };
  expect(errors).toEqual([['Kafka refuses a fact: its key is parked', refusal]]);
  expect((await metrics.registry.metrics()).split('\n')).toEqual(
    expect.arrayContaining([
      'hailway_relay_refused_total{database="test"} 1',
      'hailway_relay_parked_keys{database="test"} 1',
      'hailway_relay_parked_facts{database="test"} 2',
      'hailway_relay_facts_total{database="test"} 1',
    ]),
  );
});

test('what was read ahead when a key is parked waits behind it, and is sent in order once it is released', async () => {
  const { rows: neighbours } = await bench.db.pool.query<{ key: string }>(
    `select key from (select 'key-' || n as key from generate_series(1, 100) as n) as keys
     where outbox_lane(key) = outbox_lane('large') limit 1`,
  );
  const neighbour = neighbours[0]!.key;
  // More than two pages of one lane.
  const large = [1, 2_500, 5_500];
  await bench.db.pool.query(
    `insert into outbox (topic, key, headers, value)
     select $1, case when n = any ($2) then 'large' else $3 end,
       json_build_object('ce_sequence', (case when n = any ($2) then array_position($2, n)
         else n - (select count(*) from unnest($2) as at where at < n) end)::text),
       case when n = $2[1] then $4 else '{}' end
     from generate_series(1, 6000) as n order by n`,
    [bench.topic, large, neighbour, tooLarge.filling],
  );
  const relay = bench.relaying();
  await bench.allSettled();
  const parked = async () =>
    (
      await bench.db.pool.query<{ key: string }>(
        'select key from parked_keys union all select key from parked_facts',
      )
    ).rows;
  expect(await parked()).toHaveLength(4);
  const office = createRelayDeadLetters({ databases: { test: bench.db.pool }, topicPrefix: '', log: quiet });
  const order = { limit: 10, dryRun: false };
  const [letter] = (await office.list({ limit: 10, key: 'large' })).deadLetters;
  expect(letter).toMatchObject({
    consumer: 'relay',
    topic: bench.topic,
    key: 'large',
    sequence: 1,
    waiting: 2,
  });
  expect(letter).toMatchObject({ reason: 'MESSAGE_TOO_LARGE', id: `test:${bench.topic}:${letter?.offset}` });
  expect((await office.show(letter!.id))?.behind).toHaveLength(2);

  const outcomes = async (deeds: Promise<DeadLetterDeeds>) =>
    (await deeds).done.map(({ outcome }) => outcome);
  expect(await outcomes(office.discard({ ...order, by: 'op-1', because: 'large' }))).toEqual(['failed']);
  expect(await outcomes(office.replay({ ...order, dryRun: true }))).toEqual(['would_be']);
  // Refused again: as it was.
  expect(await outcomes(office.replay({ ...order, ids: [letter!.id] }))).toEqual(['failed']);
  expect(await parked()).toHaveLength(4);

  await setTopicConfigs(bench.kafka, [{ topic: bench.topic, config: { 'max.message.bytes': '1048588' } }]);
  // A broker goes by a topic's new settings a while after they are taken.
  const replayed = () => office.replay(order);
  const { done } = await eventually(replayed, ({ done }) => done[0]?.outcome !== 'failed');
  expect(done).toMatchObject([{ outcome: 'replayed', applied: 3 }]);
  expect(await parked()).toHaveLength(0);
  await record(bench.db.pool, bench.topic, 'afterwards');
  await eventually(bench.settled, (n) => n === 6_001);
  await relay.stop();
  const { byKey } = firstOccurrences(await readAll(bench.kafka, bench.topic));
  expect(byKey.get('large')).toEqual([1, 2, 3]);
  expect(byKey.get(neighbour)).toEqual(upTo(5_997));
});
