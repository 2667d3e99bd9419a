import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { projectRoot } from '../../platform/root';
import { projections } from '../../tools/replay/projections';
import { startConsumer, type TestFact } from '../support/consumers';

/** What the house's own consumers do with facts that are not what the catalogue says. */

const example = (type: string): object =>
  JSON.parse(readFileSync(join(projectRoot(), 'contracts', 'examples', `${type}.v1.json`), 'utf8')) as object;

function factOf(topic: TestFact['topic'], type: string, fact: Partial<TestFact> = {}): TestFact {
  const key = uuidv7();
  const data = { ...example(type), rideId: key };
  return { topic, type, key, sequence: 1, time: '2026-03-01T12:00:00.000Z', data, ...fact };
}

test.each([
  ['analytics', 'drivers', 'driver.went_online'],
  ['notifications', 'rides', 'ride.requested'],
  ['pricing', 'pricing', 'surge.changed'],
  ['tracks', 'rides', 'ride.requested'],
] as const)(
  '%s puts aside what it cannot read, skips what nobody knows, and goes on',
  async (name, topic, type) => {
    const consumer = await startConsumer(projections[name]);
    try {
      const bad = {
        'data against the schema': factOf(topic, type, { data: { riderId: 7 } }),
        'a version that is not published': factOf(topic, type, { schemaVersion: 99 }),
      };
      const good = Array.from({ length: 6 }, () => factOf(topic, type));
      const unknown = { ...factOf(topic, type), type: `${type}_by_nobody` };
      await consumer.deliver([...Object.values(bad), unknown, ...good]);
      const { rows } = await consumer.pool.query<{ key: string; reason: string }>(
        'select key, reason from inbox_parked where head',
      );
      const reasons = new Map(rows.map(({ key, reason }) => [key, reason]));
      expect(new Set(reasons.keys())).toEqual(new Set(Object.values(bad).map(({ key }) => key)));
      expect([...reasons.values()].map((reason) => reason.split(':')[0])).toEqual([
        'fact_invalid',
        'fact_invalid',
      ]);
      // Each of the good ones, whichever partition it is in; that nobody knows the other one is no fact applied.
      const applied = await consumer.pool.query<{ facts: number }>(
        'select sum(facts)::bigint as facts from inbox_positions',
      );
      expect(applied.rows[0]!.facts).toBe(good.length);
    } finally {
      await consumer.stop();
    }
  },
  60_000,
);
