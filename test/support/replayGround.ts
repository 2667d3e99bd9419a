import { latLngToCell } from 'h3-js';
import { v7 as uuidv7 } from 'uuid';
import { createFactProducer, createTopics, groupLag, withAdmin, type Kafka } from '../../platform/kafka';
import { runInbox } from '../../platform/inbox';
import { createPool, type Pool } from '../../platform/postgres';
import type { Projection } from '../../platform/projection';
import { projectionHash } from '../../platform/projectionHash';
import { replay } from '../../tools/cli/replay';
import { projections } from '../../tools/replay/projections';
import { deleteTopics, eventually, quiet, running, testKafka, unique, type Running } from './backbone';
import {
  at,
  captured,
  opened,
  ownedDatabase,
  recordOf,
  requested,
  rideFacts,
  type TestFact,
} from './consumers';
import { fromSetup } from './fromSetup';

/** What tests of replays share: consumers on the same topics, a city's facts, and a second consumer nobody touches. */

export interface LiveConsumer {
  readonly projection: Projection;
  readonly group: string;
  readonly url: string;
  readonly pool: Pool;
}

export interface ReplayGround {
  readonly kafka: Kafka;
  readonly prefix: string;
  topic(name: string): string;
  /** A consumer with a database of its own; `control` is another's name for one that no replay touches. */
  start(name: keyof typeof projections, control?: string): Promise<LiveConsumer>;
  /** A database for a consumer that is not running. */
  database(name: 'analytics' | 'notifications'): Promise<string>;
  send(facts: readonly TestFact[]): Promise<void>;
  /** Until every consumer has been through all there is. */
  settled(): Promise<void>;
  /** What `npx hailway` is to find. */
  env(): NodeJS.ProcessEnv;
  /** `npx hailway replay`, and what it printed. */
  replay(...argv: string[]): Promise<{ code: number; printed: string }>;
  /** Kafka has so much of a topic no more: 1 for all of it. */
  forget(name: string, share: number): Promise<void>;
  stop(): Promise<void>;
}

const topicNames = ['rides', 'payments', 'drivers', 'pricing', 'ratings'];

export async function startReplayGround(): Promise<ReplayGround> {
  const kafka = testKafka();
  const prefix = unique('replay-');
  const topic = (name: string): string => prefix + name;
  const names = topicNames.map(topic);
  await createTopics(
    kafka,
    names.map((one) => ({ topic: one, partitions: 3 })),
  );
  const producer = createFactProducer(kafka, { log: quiet });
  const databases: { drop(): Promise<void> }[] = [];
  const consumers: (LiveConsumer & { readonly inbox: Running })[] = [];
  const made = async (projection: Projection): Promise<string> => {
    const database = await ownedDatabase(projection.name, projection.migrations);
    databases.push(database);
    return database.url;
  };
  const env = (): NodeJS.ProcessEnv => ({
    KAFKA_BROKERS: fromSetup('KAFKA_BROKERS'),
    KAFKA_TOPIC_PREFIX: prefix,
    ...Object.fromEntries(
      consumers
        .filter(({ group, projection }) => group === prefix + projection.name)
        .map(({ projection, url }) => [`${projection.name.toUpperCase()}_DATABASE_URL`, url]),
    ),
  });
  return {
    kafka,
    prefix,
    topic,
    async start(name, control) {
      const projection = projections[name];
      const group = prefix + (control ?? name);
      const deadLetterTopic = `${group}.dead-letter`;
      await createTopics(kafka, [{ topic: deadLetterTopic, partitions: 1 }]);
      names.push(deadLetterTopic);
      const url = await made(projection);
      const pool = createPool(url, { applicationName: name, max: 6 });
      const inbox = running((signal) =>
        runInbox({
          ...{ group, pool, kafka, signal, log: quiet, handle: projection.handle, skip: projection.skip },
          topics: projection.topics.map(topic),
        }),
      );
      const consumer = { projection, group, url, pool, inbox };
      consumers.push(consumer);
      return consumer;
    },
    database: (name) => made(projections[name]),
    async send(facts) {
      for (let i = 0; i < facts.length; i += 500)
        await producer.send(facts.slice(i, i + 500).map((fact) => recordOf(fact, topic(fact.topic))));
    },
    async settled() {
      for (const { group, projection } of consumers)
        await eventually(
          async () => {
            const lags = await groupLag(kafka, group, projection.topics.map(topic));
            return lags.reduce((sum, { lag }) => sum + lag, 0);
          },
          (lag) => lag === 0,
          60_000,
        );
    },
    env,
    replay: (...argv) => replayWith(env(), ...argv),
    forget: (name, share) =>
      withAdmin(kafka, async (admin) => {
        const offsets = await admin.fetchTopicOffsets(topic(name));
        const partitions = offsets.map(({ partition, high }) => ({
          partition,
          offset: String(Math.floor(Number(high) * share)),
        }));
        await admin.deleteTopicRecords({ topic: topic(name), partitions });
      }),
    async stop() {
      for (const { inbox, pool } of consumers) {
        await inbox.stop();
        await pool.end();
      }
      await producer.disconnect();
      for (const database of databases) await database.drop();
      await deleteTopics(kafka, names);
    },
  };
}

/** `npx hailway replay` in this process, and what it printed. */
export async function replayWith(
  env: NodeJS.ProcessEnv,
  ...argv: string[]
): Promise<{ code: number; printed: string }> {
  const printed: string[] = [];
  const print = (text: unknown): boolean => printed.push(String(text)) > 0;
  const spies = [process.stdout, process.stderr].map((out) =>
    jest.spyOn(out, 'write').mockImplementation(print),
  );
  try {
    const code = await replay(argv, env);
    return { code, printed: printed.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

export const hashOf = ({ pool, projection }: LiveConsumer): Promise<string> =>
  projectionHash(pool, projection.tables);

/** Once all is consumed two consumers come to hold the same, or the test fails. */
export async function comeToTheSame(
  ground: ReplayGround,
  one: LiveConsumer,
  other: LiveConsumer,
): Promise<void> {
  await ground.settled();
  await eventually(
    async () => [await hashOf(one), await hashOf(other)],
    ([first, second]) => first === second,
    10_000,
  );
}

const pickups = [0, 1, 2, 3, 4].map((i) => ({ lat: 40.7 + i / 50, lng: -73.98 }));

/**
 * Rides of a city, each with its payment and every tenth with a dispute, quotes and drivers' shifts, in an order that has
 * them side by side.
 */
export function cityFacts(rides: number): TestFact[] {
  const stories = Array.from({ length: rides }, (_, i) => [rideStory(i), shiftStory(i)]).flat();
  const longest = Math.max(...stories.map(({ length }) => length));
  return Array.from({ length: longest }, (_, step) => stories.flatMap((story) => story[step] ?? [])).flat();
}

/** A driver's shift, and a quote that comes to nothing. */
function shiftStory(i: number): TestFact[] {
  const [driverId, quoteId] = [`driver-${uuidv7()}`, uuidv7()];
  const { lat, lng } = pickups[i % 5]!;
  const cell = latLngToCell(lat, lng, 8);
  const { rideId: _, paymentMethod: __, ...quoted } = requested(uuidv7(), `rider-${i % 11}`, { lat, lng });
  const data = { ...quoted, quoteId, surge: 1, pickupCell: cell, expiresAt: '2026-03-01T12:05:00.000Z' };
  const driver = { topic: 'drivers', key: driverId } as const;
  return [
    {
      ...driver,
      sequence: 1,
      type: 'driver.went_online',
      time: at('11:40:00.000'),
      data: { driverId, cell },
    },
    {
      ...({ topic: 'pricing', key: quoteId, sequence: 1, type: 'quote.issued', schemaVersion: 2 } as const),
      ...{ time: at('12:00:00.000'), data },
    },
    ...(i % 3 === 0
      ? [
          {
            ...driver,
            sequence: 2,
            type: 'driver.went_offline',
            time: at('13:10:00.000'),
            data: { driverId },
          },
        ]
      : []),
  ];
}

export function rideStory(i: number, rideId = uuidv7()): TestFact[] {
  const driver = { driverId: `driver-${i % 7}` };
  const minute = String(i % 60).padStart(2, '0');
  const ride = rideFacts(rideId, [
    ['ride.requested', `12:${minute}:00.000`, requested(rideId, `rider-${i % 11}`, pickups[i % 5])],
    ['ride.matching_started', `12:${minute}:01.000`],
    ['ride.driver_assigned', `12:${minute}:10.000`, { ...driver, offerId: uuidv7() }],
    ['ride.driver_arrived', `13:${minute}:00.000`, driver],
    ['ride.started', `13:${minute}:01.000`, driver],
    ['ride.completed', `14:${minute}:00.000`, { ...driver, chargeMinor: 1_250, currency: 'USD' }],
  ]);
  const payment = rideFacts(rideId, [
    ['payment.opened', `12:${minute}:00.500`, opened(rideId, `rider-${i % 11}`)],
    ['payment.authorized', `12:${minute}:01.000`, { intentId: 'pi_1', amountMinor: 1_250, currency: 'USD' }],
    ['payment.captured', `14:${minute}:02.000`, captured],
  ]);
  const disputeId = `dp_${rideId}`;
  const dispute: TestFact = {
    ...{ topic: 'payments', key: disputeId, sequence: 1, type: 'dispute.opened', correlationId: rideId },
    time: `2026-03-01T15:${minute}:00.000Z`,
    data: {
      ...{ disputeId, rideId, intentId: 'pi_1', reason: 'fraudulent' },
      ...{ amountMinor: 1_250, feeMinor: 0, currency: 'USD' },
      evidenceDueAt: '2026-03-10T15:00:00.000Z',
    },
  };
  return [
    ...[ride[0], payment[0], payment[1], ...ride.slice(1), payment[2]].map((fact) => fact as TestFact),
    ...(i % 10 === 0 ? [dispute] : []),
  ];
}
