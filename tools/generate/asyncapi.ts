import { join } from 'node:path';
import { catalogue, topics, type CatalogueEntry } from '../../contracts/catalogue';
import { consumers, factGroup, lastingConsumers, type ConsumerName } from '../../contracts/consumers';
import { jsonSchema, type JsonSchema } from '../../contracts/jsonSchema';
import { deadLetterTopic } from '../../contracts/topics';
import { positionsRecord } from '../../contracts/positions';
import { factId } from '../../platform/outbox';
import { readExample } from './catalogueProblems';
import { factHeaders } from './factHeaders';
import { versionName } from './published';

const positions = 'driver-positions.v2';
const positionsAsJson = 'driver-positions.v1';
const deadLetter = 'dead-letter';
const servers = [{ $ref: '#/servers/kafka' }, { $ref: '#/servers/kafka-secure' }];
const broker = { broker: { default: 'localhost:9092', description: 'host and port of a broker' } };
const says = (description: string): JsonSchema => ({ type: 'string', description });

/** What `publishDead` of platform/inbox adds to a record's own headers. */
const deadLetterHeaders = {
  dlq_reason: says('a code and what was wrong: `fact_invalid: …` (docs/operating.md, A dead letter)'),
  dlq_stack: says('where it failed; empty where nothing was thrown'),
  dlq_attempts: says('how often it was tried by itself'),
  dlq_group: says('who could not apply it'),
  dlq_topic: says('where it lies'),
  dlq_partition: says('and there'),
  dlq_offset: says('and there'),
  dlq_time: says('when it was given up, ISO 8601'),
} as const;

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
        variables: broker,
      },
      'kafka-secure': {
        host: '{broker}',
        protocol: 'kafka-secure',
        description:
          'The same where KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are set, over TLS (KAFKA_TLS_CA). Each process has ' +
          'a login of its own name, which may do what its operations here say, and nothing else.',
        variables: broker,
        security: [{ $ref: '#/components/securitySchemes/scram' }],
      },
    },
    channels: {
      ...Object.fromEntries(topics.map((topic) => [topic.name, channel(topic)])),
      ...Object.fromEntries(
        lastingConsumers.map((group) => [deadLetterTopic(group).name, deadLetters(group)]),
      ),
    },
    operations: { ...sends(), ...receives(), ...gives() },
    components: {
      securitySchemes: {
        scram: {
          type: 'scramSha512',
          description: 'SASL SCRAM-SHA-512, the name of the process as the user',
        },
      },
      messages: {
        [deadLetter]: {
          name: deadLetter,
          title: 'A record that a consumer could not apply',
          description:
            'Its bytes and headers as they came, and in more headers why. For whoever wants to be told: replays read the ' +
            "consumer's database.",
          headers: {
            type: 'object',
            required: Object.keys(deadLetterHeaders),
            properties: deadLetterHeaders,
          },
        },
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
    servers,
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

const deadLetters = (group: ConsumerName): JsonSchema => ({
  address: deadLetterTopic(group).name,
  description: `What ${group} could not apply.`,
  servers,
  messages: { [deadLetter]: { $ref: `#/components/messages/${deadLetter}` } },
});

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
      bindings: { kafka: { groupId: { type: 'string', const: factGroup(consumer as ConsumerName) } } },
    },
  ]);
  const telemetry = {
    ...operation('receive', 'driver-positions', [positions, positionsAsJson]),
    summary: 'location knows who is near.',
  };
  return Object.fromEntries([...facts, ['location.receive.driver-positions', telemetry]]) as JsonSchema;
}

/** What each consumer gives up. */
const gives = (): JsonSchema =>
  Object.fromEntries(
    lastingConsumers.map((group) => [
      `${group}.send.${deadLetterTopic(group).name}`,
      {
        ...operation('send', deadLetterTopic(group).name, [deadLetter]),
        summary: `${group} gives up what it cannot apply.`,
      },
    ]),
  );

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
