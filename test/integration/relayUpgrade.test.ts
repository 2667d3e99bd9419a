import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool, migrate, outboxMigrations } from '../../platform/postgres';
import { createRelayDeadLetters } from '../../platform/relay/deadLetters';
import {
  deleteTopics,
  eventually,
  firstOccurrences,
  quiet,
  readAll,
  stopAll,
  testKafka,
  testTopic,
} from '../support/backbone';
import { ownedDatabase } from '../support/consumers';
import { startRelay } from '../support/relayBench';

/** A database whose relay knew of no lanes. */

const kafka = testKafka();
const before = mkdtempSync(join(tmpdir(), 'hailway-outbox-'));
for (const file of ['0001_outbox.sql', '0002_steps_changed.sql'])
  cpSync(join(outboxMigrations.dir, file), join(before, file));
afterAll(async () => {
  rmSync(before, { recursive: true });
  await stopAll();
});

test('what was not sent before an upgrade is sent in order after it, and what was parked waits', async () => {
  const database = await ownedDatabase('upgrade', [{ name: outboxMigrations.name, dir: before }]);
  const pool = createPool(database.url, { applicationName: 'test', max: 2 });
  const topic = await testTopic(kafka);
  const write = async (...facts: [key: string, sequence: number][]): Promise<void> => {
    for (const [key, sequence] of facts)
      await pool.query(
        `insert into outbox (topic, key, headers, value)
         values ($1, $2, json_build_object('ce_id', $2 || '/' || $3, 'ce_sequence', $3::text), $4)`,
        [topic, key, String(sequence), JSON.stringify({ sequence, text: 'ü' })],
      );
  };
  const sent = async () => Object.fromEntries(firstOccurrences(await readAll(kafka, topic)).byKey);
  const settled = (wanted: number) =>
    eventually(
      async () => {
        const { rows } = await pool.query<{ facts: number }>(
          `select (select sum(facts) from relay_lanes)::bigint + (select count(*) from parked_facts) as facts`,
        );
        return rows[0]!.facts;
      },
      (facts) => facts === wanted,
      20_000,
    );
  try {
    await write(['a', 1], ['b', 1], ['parked', 1]);
    await pool.query(
      `insert into relay_position (name, from_snapshot, facts) values ('relay', pg_current_snapshot(), 2)`,
    );
    await write(['a', 2], ['parked', 2], ['c', 1], ['a', 3], ['b', 2]);
    await pool.query(
      `insert into parked_keys (topic, key, outbox_id, reason)
         select topic, key, id, 'MESSAGE_TOO_LARGE' from outbox where key = 'parked' order by id limit 1`,
    );
    await pool.query(
      `insert into parked_facts (outbox_id, topic, key) select id, topic, key from outbox where key = 'parked' order by id`,
    );

    expect(await migrate(database.url, [outboxMigrations])).toEqual([
      'outbox/0003_relay_lanes',
      'outbox/0004_relay_floor',
      'outbox/0005_segment_looks',
    ]);
    await write(['a', 4], ['parked', 3]);
    const relay = startRelay(database.url);
    // Two of before, all that waited, and what is parked.
    await settled(2 + 5 + 3);
    expect(await sent()).toEqual({ a: [2, 3, 4], b: [2], c: [1] });
    const { rows } = await pool.query<{ line: string }>(
      `select headers ->> 'ce_id' || ' ' || value as line from parked_facts order by place`,
    );
    expect(rows.map(({ line }) => line)).toEqual(
      [1, 2, 3].map((sequence) => `parked/${sequence} ${JSON.stringify({ sequence, text: 'ü' })}`),
    );

    const office = createRelayDeadLetters({ databases: { test: pool }, topicPrefix: '', log: quiet });
    expect(await office.replay({ limit: 1, dryRun: false })).toMatchObject({ done: [{ applied: 3 }] });
    await relay.stop();
    expect(await sent()).toMatchObject({ parked: [1, 2, 3] });
  } finally {
    await stopAll();
    await pool.end();
    await database.drop();
    await deleteTopics(kafka, [topic]);
  }
}, 60_000);
