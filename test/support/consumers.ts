import { v7 as uuidv7 } from 'uuid';
import {
  createFactProducer,
  createTopics,
  partitionFor,
  type FactProducer,
  type OutgoingRecord,
} from '../../platform/kafka';
import { runInbox } from '../../platform/inbox';
import { createPool, migrate, type MigrationSet, type Pool } from '../../platform/postgres';
import type { Projection } from '../../platform/projection';
import { deleteTopics, eventually, quiet, running, testKafka, unique } from './backbone';
import { fromSetup } from './fromSetup';

/** What tests of the consumers share: facts as the relay sends them, and a consumer on real servers. */

const PARTITIONS = 3;

export const at = (time: string): string => `2026-03-01T${time}Z`;

export interface TestFact {
  /** Without the test's prefix. */
  readonly topic: 'rides' | 'payments' | 'drivers' | 'pricing' | 'ratings';
  readonly key: string;
  readonly sequence: number;
  readonly type: string;
  readonly time: string;
  readonly data: unknown;
  /** Of its schema (1). */
  readonly schemaVersion?: number;
  /** The key unless it belongs to something larger. */
  readonly correlationId?: string;
  /** The command's step, or another fact. */
  readonly causationId?: string;
  /** `role:subject` */
  readonly caller?: string;
}

const fareOf = (totalMinor: number) => ({
  currency: 'USD',
  totalMinor,
  lines: [{ kind: 'base', amountMinor: totalMinor }],
});

/** Facts of one ride, in versions 1, 2, 3, …; `time` of each is within the hour: '12:00:05.000'. */
export function rideFacts(
  rideId: string,
  facts: readonly (readonly [type: string, time: string, data?: object])[],
): TestFact[] {
  return facts.map(([type, time, data = {}], index) => ({
    topic: type.startsWith('payment.') ? ('payments' as const) : ('rides' as const),
    key: rideId,
    sequence: index + 1,
    type,
    time: at(time),
    data,
  }));
}

export const requested = (rideId: string, riderId: string, pickup = { lat: 40.75, lng: -73.98 }) => ({
  rideId,
  riderId,
  quoteId: uuidv7(),
  product: 'standard',
  pickup,
  dropoff: { lat: 40.7, lng: -74.0 },
  distanceMeters: 6_000,
  durationSeconds: 900,
  fare: fareOf(1_250),
  paymentMethod: { type: 'card', token: 'pm_card_visa' },
});

export const opened = (rideId: string, riderId: string) => ({
  rideId,
  riderId,
  method: { type: 'card', token: 'pm_card_visa' },
  amountMinor: 1_250,
  currency: 'USD',
});

export const captured = {
  intentId: 'pi_1',
  amountMinor: 1_250,
  currency: 'USD',
  driverId: 'driver-1',
  commissionMinor: 250,
};

export interface TestConsumer {
  readonly pool: Pool;
  readonly databaseUrl: string;
  readonly group: string;
  /** The name of a topic in this test. */
  topic(name: TestFact['topic']): string;
  /** Sends facts in their order and waits until the consumer has been through all there is. */
  deliver(facts: readonly TestFact[]): Promise<void>;
  deadLetters(): Promise<number>;
  stop(): Promise<void>;
}

/** A ride whose facts are in this partition of the three that each topic here has. */
export function rideIn(partition: number): string {
  for (;;) {
    const rideId = uuidv7();
    if (partitionFor(rideId, PARTITIONS) === partition) return rideId;
  }
}

/** A consumer with a database and role of its own, and topics that nobody else has. */
export async function startConsumer({
  name,
  topics,
  migrations,
  handle,
  skip,
}: Projection): Promise<TestConsumer> {
  const kafka = testKafka();
  const prefix = unique('consumers-');
  const group = `${prefix}${name}`;
  const topic = (topicName: string): string => prefix + topicName;
  const names = [...topics.map(topic), `${group}.dead-letter`];
  await createTopics(
    kafka,
    names.map((one) => ({ topic: one, partitions: PARTITIONS })),
  );
  const database = await ownedDatabase(name, migrations);
  const pool = createPool(database.url, { applicationName: name, max: 6 });
  const producer: FactProducer = createFactProducer(kafka, { log: quiet });
  const inbox = running((signal) =>
    runInbox({ group, topics: topics.map(topic), pool, kafka, handle, skip, signal, log: quiet }),
  );
  let sent = 0;
  const settled = async (): Promise<number> => {
    const { rows } = await pool.query<{ settled: number }>(
      'select coalesce(sum(next_offset), 0)::bigint as settled from inbox_positions',
    );
    return rows[0]!.settled;
  };
  return {
    pool,
    databaseUrl: database.url,
    group,
    topic,
    async deliver(facts) {
      await producer.send(facts.map((fact) => recordOf(fact, topic(fact.topic))));
      sent += facts.length;
      await eventually(settled, (done) => done === sent, 40_000);
    },
    async deadLetters() {
      const { rows } = await pool.query<{ count: number }>(
        'select count(*) as count from inbox_parked where head',
      );
      return rows[0]!.count;
    },
    async stop() {
      await inbox.stop();
      await producer.disconnect();
      await pool.end();
      await database.drop();
      await deleteTopics(kafka, names);
    },
  };
}

export function recordOf(
  { key, sequence, type, time, data, schemaVersion = 1, correlationId = key, causationId, caller }: TestFact,
  topic: string,
): OutgoingRecord {
  return {
    topic,
    key,
    value: JSON.stringify(data),
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: `${type}/${key}/${sequence}`,
      ce_source: '/hailway/test',
      ce_type: type,
      ce_dataschema: `${type}.v${schemaVersion}`,
      ce_time: time,
      ce_subject: key,
      ce_sequence: String(sequence),
      ce_correlationid: correlationId,
      ce_causationid: causationId ?? `${key}/step/${sequence}`,
      ...(caller === undefined ? {} : { ce_caller: caller }),
    },
  };
}

/** A database that belongs to a role which can nothing else, as in the stack. */
export async function ownedDatabase(name: string, sets: readonly MigrationSet[]) {
  const adminUrl = fromSetup('POSTGRES_URL');
  const owned = unique(name).replaceAll('-', '_');
  const admin = createPool(adminUrl, { applicationName: 'test', max: 1, statementTimeoutMs: 60_000 });
  await admin.query(`create role ${owned} login password 'test'`);
  await admin.query(`create database ${owned} owner ${owned}`);
  const url = new URL(adminUrl);
  Object.assign(url, { username: owned, password: 'test', pathname: `/${owned}` });
  await migrate(url.href, sets);
  return {
    url: url.href,
    async drop() {
      await admin.query(`drop database ${owned} with (force)`);
      await admin.query(`drop role ${owned}`);
      await admin.end();
    },
  };
}
