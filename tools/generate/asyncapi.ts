import { z } from 'zod';
import { catalogue, topics, type CatalogueEntry } from '../../contracts/catalogue';
import { jsonSchema, type JsonSchema } from '../../contracts/jsonSchema';
import { positionsRecord } from '../../contracts/positions';

const messageName = ({ type, version }: CatalogueEntry): string => `${type}.v${version}`;

/** The AsyncAPI 3.0 document of the facts on Kafka, and of the drivers' positions beside them. */
export function asyncApiDocument(): JsonSchema {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Hailway facts',
      version: '1.0.0',
      description:
        'CloudEvents 1.0 on Kafka in binary mode: attributes in `ce_` headers, JSON in the value, the ' +
        "aggregate's id as key. Facts of a key come in order of `ce_sequence`, and perhaps more than once.",
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(topics.map((topic) => [topic.name, channel(topic)])),
    operations: { ...sends(), ...receives() },
    components: {
      messages: {
        ...Object.fromEntries(catalogue.map((entry) => [messageName(entry), message(entry)])),
        'driver-positions.v1': {
          name: 'driver-positions.v1',
          title: 'Positions of many drivers of one region',
          payload: jsonSchema(positionsRecord, 'input', 'draft-7'),
          bindings: { kafka: { key: { type: 'string', description: 'H3 cell, resolution 3' } } },
        },
      },
      schemas: { FactHeaders: factHeaders },
    },
  };
}

function channel({ name, partitions, retentionMs }: (typeof topics)[number]): JsonSchema {
  const facts = catalogue.filter(({ topic }) => topic === name).map(messageName);
  const messages = facts.length > 0 ? facts : ['driver-positions.v1'];
  return {
    address: name,
    messages: Object.fromEntries(
      messages.map((message) => [message, { $ref: `#/components/messages/${message}` }]),
    ),
    bindings: {
      kafka: { topic: name, partitions, topicConfiguration: { 'retention.ms': retentionMs } },
    },
  };
}

function message(entry: CatalogueEntry): JsonSchema {
  return {
    name: messageName(entry),
    title: entry.type,
    summary: `Committed by ${entry.owner}.`,
    headers: { $ref: '#/components/schemas/FactHeaders' },
    payload: jsonSchema(entry.schema, 'input', 'draft-7'),
    bindings: { kafka: { key: { type: 'string', description: entry.key } } },
  };
}

function sends(): JsonSchema {
  const owners = new Set(catalogue.map(({ owner, topic }) => `${owner}/${topic}`));
  const facts = [...owners].map((pair) => {
    const [owner, topic] = pair.split('/') as [string, string];
    const mine = catalogue.filter((entry) => entry.owner === owner && entry.topic === topic);
    return [`${owner}.send.${topic}`, operation('send', topic, mine.map(messageName))];
  });
  const positions = operation('send', 'driver-positions', ['driver-positions.v1']);
  return Object.fromEntries([...facts, ['gateway.send.driver-positions', positions]]) as JsonSchema;
}

function receives(): JsonSchema {
  const pairs = new Set(
    catalogue.flatMap(({ consumers, topic }) => consumers.map((name) => `${name}/${topic}`)),
  );
  const facts = [...pairs].sort().map((pair) => {
    const [consumer, topic] = pair.split('/') as [string, string];
    const theirs = catalogue.filter((entry) => entry.topic === topic && entry.consumers.includes(consumer));
    return [`${consumer}.receive.${topic}`, operation('receive', topic, theirs.map(messageName))];
  });
  const positions = operation('receive', 'driver-positions', ['driver-positions.v1']);
  return Object.fromEntries([...facts, ['location.receive.driver-positions', positions]]) as JsonSchema;
}

const operation = (action: 'send' | 'receive', topic: string, messages: readonly string[]): JsonSchema => ({
  action,
  channel: { $ref: `#/channels/${topic}` },
  messages: messages.map((message) => ({ $ref: `#/channels/${topic}/messages/${message}` })),
});

const factHeaders = jsonSchema(
  z.object({
    'content-type': z.literal('application/json'),
    ce_specversion: z.literal('1.0'),
    ce_id: z.string().describe('`<type>/<aggregate id>/<version>`: the same however often it is sent'),
    ce_source: z.string().describe('`/hailway/<owner>`'),
    ce_type: z.string(),
    ce_dataschema: z.string().describe('`<type>.v<schema version>`'),
    ce_time: z.iso.datetime().describe("when it happened, by the domain's clock"),
    ce_subject: z.string().describe("the aggregate's id"),
    ce_sequence: z
      .string()
      .regex(/^[1-9][0-9]*$/)
      .describe("the aggregate's version: 1, 2, 3, … for a key"),
    ce_correlationid: z.string(),
    ce_causationid: z.string().describe('the step or fact that caused it'),
    traceparent: z.string().optional().describe('W3C trace context'),
  }),
  'input',
  'draft-7',
);
