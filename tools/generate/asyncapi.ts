import { join } from 'node:path';
import { catalogue, topics, type CatalogueEntry } from '../../contracts/catalogue';
import { consumers, type ConsumerName } from '../../contracts/consumers';
import { jsonSchema, type JsonSchema } from '../../contracts/jsonSchema';
import { positionsRecord } from '../../contracts/positions';
import { factId } from '../../platform/outbox';
import { readExample } from './catalogueProblems';
import { factHeaders } from './factHeaders';
import { versionName } from './published';

const positions = 'driver-positions.v2';
const positionsAsJson = 'driver-positions.v1';

/**
 * The AsyncAPI 3.0 document of the facts on Kafka, and of the drivers' positions beside them: each topic a channel, each
 * version of a fact a message, and what each process sends and receives.
 * @param root the repository, for the examples
 */
export function asyncApiDocument(root: string): JsonSchema {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Hailway facts',
      version: '1.0.0',
      description:
        'CloudEvents 1.0 on Kafka in binary mode: attributes in `ce_` headers, JSON in the value, the ' +
        "aggregate's id as key. Facts of a key come in order of `ce_sequence`, and perhaps more than once.",
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      kafka: {
        host: '{broker}',
        protocol: 'kafka',
        description: 'One of KAFKA_BROKERS; topics may have a prefix there, KAFKA_TOPIC_PREFIX.',
        variables: { broker: { default: 'localhost:9092', description: 'host and port of a broker' } },
      },
    },
    channels: Object.fromEntries(topics.map((topic) => [topic.name, channel(topic)])),
    operations: { ...sends(), ...receives() },
    components: {
      messages: {
        ...Object.fromEntries(catalogue.map((entry) => [versionName(entry), message(entry, root)])),
        [positions]: {
          name: positions,
          title: 'Positions of many drivers of one region',
          summary:
            'Binary: a header of 16 bytes and 36 bytes a position, as contracts/positionRecord.ts has it.',
          contentType: 'application/octet-stream',
          payload: { type: 'string', format: 'binary' },
          bindings: { kafka: { key: { type: 'string', description: "the region's row and column" } } },
        },
        [positionsAsJson]: {
          name: positionsAsJson,
          title: 'Positions of many drivers of one region, as they were written before',
          payload: jsonSchema(positionsRecord, 'input', 'draft-7'),
          bindings: { kafka: { key: { type: 'string', description: 'H3 cell, resolution 3' } } },
          examples: [
            { payload: { v: 1, positions: [['driver-77', 40.7484, -73.9857, 12, 1_795_366_800_000]] } },
          ],
        },
      },
      messageTraits: {
        CloudEvent: {
          headers: { $ref: '#/components/schemas/FactHeaders' },
          contentType: 'application/json',
          correlationId: { location: '$message.header#/ce_correlationid' },
        },
      },
      schemas: { FactHeaders: factHeaders },
    },
  };
}

function channel({ name, partitions, retentionMs }: (typeof topics)[number]): JsonSchema {
  const facts = catalogue.filter(({ topic }) => topic === name).map(versionName);
  return {
    address: name,
    description: facts.length > 0 ? 'Facts, kept for ever.' : 'Telemetry: the newest of a driver wins.',
    servers: [{ $ref: '#/servers/kafka' }],
    messages: Object.fromEntries(
      (facts.length > 0 ? facts : [positions, positionsAsJson]).map((each) => [
        each,
        { $ref: `#/components/messages/${each}` },
      ]),
    ),
    bindings: {
      kafka: { topic: name, partitions, topicConfiguration: { 'retention.ms': retentionMs } },
    },
  };
}

function message(entry: CatalogueEntry, root: string): JsonSchema {
  const { description, ...payload } = jsonSchema(entry.schema, 'input', 'draft-7');
  const readers = entry.consumers.length > 0 ? ` Read by ${entry.consumers.join(', ')}.` : '';
  return {
    name: versionName(entry),
    title: entry.type,
    ...(description === undefined ? {} : { summary: description }),
    description: `Committed by ${entry.owner}.${readers}${entry.next === null ? '' : ` Version ${entry.version + 1} changed: ${entry.next.changed}.`}`,
    tags: [{ name: entry.family }],
    traits: [{ $ref: '#/components/messageTraits/CloudEvent' }],
    payload,
    bindings: { kafka: { key: { type: 'string', description: entry.key } } },
    examples: [
      { headers: exampleHeaders(entry), payload: readExample(join(root, 'contracts', 'examples'), entry) },
    ],
  };
}

function exampleHeaders({ type, version, owner }: CatalogueEntry): JsonSchema {
  const id = '01a200c0-97cd-72ad-986e-2cd93ba3703a';
  return {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: factId(type, id, 3),
    ce_source: `/hailway/${owner}`,
    ce_type: type,
    ce_dataschema: `${type}.v${version}`,
    ce_time: '2026-11-22T17:00:00.000Z',
    ce_subject: id,
    ce_sequence: '3',
    ce_correlationid: id,
    ce_causationid: `${id}/step/2`,
  };
}

/** What each process writes, by topic. */
function sends(): JsonSchema {
  const byPair = pairs(catalogue, ({ owner }) => [owner]);
  const facts = byPair.map(([owner, topic, mine]) => [
    `${owner}.send.${topic}`,
    { ...operation('send', topic, mine), summary: `${owner} commits these facts; its relay sends them.` },
  ]);
  const telemetry = {
    ...operation('send', 'driver-positions', [positions]),
    summary: 'gateway sends what drivers tell it.',
  };
  return Object.fromEntries([...facts, ['gateway.send.driver-positions', telemetry]]) as JsonSchema;
}

/** What each consumer reads, by topic, with its group. */
function receives(): JsonSchema {
  const byPair = pairs(catalogue, (entry) => entry.consumers);
  const facts = byPair.map(([consumer, topic, theirs]) => [
    `${consumer}.receive.${topic}`,
    {
      ...operation('receive', topic, theirs),
      summary: `${consumer} ${consumers[consumer as ConsumerName].does}.`,
      bindings: { kafka: { groupId: { type: 'string', const: consumer } } },
    },
  ]);
  const telemetry = {
    ...operation('receive', 'driver-positions', [positions, positionsAsJson]),
    summary: 'location knows who is near.',
  };
  return Object.fromEntries([...facts, ['location.receive.driver-positions', telemetry]]) as JsonSchema;
}

function pairs(
  entries: readonly CatalogueEntry[],
  of: (entry: CatalogueEntry) => readonly string[],
): [process: string, topic: string, messages: string[]][] {
  const found = new Map<string, [string, string, string[]]>();
  for (const entry of entries)
    for (const name of of(entry)) {
      const pair = found.get(`${name}/${entry.topic}`) ?? [name, entry.topic, []];
      found.set(`${name}/${entry.topic}`, [
        ...pair.slice(0, 2),
        [...pair[2], versionName(entry)],
      ] as typeof pair);
    }
  return [...found.values()].sort(([a, b], [c, d]) => `${a}/${b}`.localeCompare(`${c}/${d}`));
}

const operation = (action: 'send' | 'receive', topic: string, messages: readonly string[]): JsonSchema => ({
  action,
  channel: { $ref: `#/channels/${topic}` },
  messages: messages.map((each) => ({ $ref: `#/channels/${topic}/messages/${each}` })),
});
