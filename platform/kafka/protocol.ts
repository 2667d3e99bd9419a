import { pbkdf2Sync, randomBytes } from 'node:crypto';
import type { Kafka } from 'kafkajs';

/**
 * Two requests that kafkajs does not know (Kafka's protocol guide: IncrementalAlterConfigs, AlterUserScramCredentials),
 * sent over its own connections, so that TLS and authentication are as everywhere.
 */

interface Request {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly apiName: string;
  readonly body: Buffer;
}

/** Connections of one client, as kafkajs has them inside. */
export interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  refreshMetadata(): Promise<void>;
  findControllerBroker(): Promise<{ readonly connectionPool: ConnectionPool }>;
}

interface ConnectionPool {
  send<T>(exchange: {
    request: Omit<Request, 'body'> & { encode: () => Promise<{ buf: Buffer; buffer: Buffer }> };
    response: { decode: (raw: Buffer) => Promise<Buffer>; parse: (data: Buffer) => Promise<T> };
  }): Promise<T>;
}

/** What a client makes its producers and admins of. kafkajs 2.2.4 keeps it behind a symbol. */
export function clusterOf(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  const create = symbol && (kafka as unknown as Record<symbol, (options: object) => Cluster>)[symbol];
  if (!create) throw new Error('impossible: this kafkajs makes its clusters in another way');
  return create({ metadataMaxAge: 300_000, allowAutoTopicCreation: false });
}

async function ask<T>(kafka: Kafka, { body, ...request }: Request, parse: (answer: Reader) => T): Promise<T> {
  const cluster = clusterOf(kafka);
  try {
    await cluster.connect();
    await cluster.refreshMetadata();
    const broker = await cluster.findControllerBroker();
    return await broker.connectionPool.send({
      request: { ...request, encode: () => Promise.resolve({ buf: body, buffer: body }) },
      response: {
        decode: (raw) => Promise.resolve(raw),
        parse: (data) => Promise.resolve(parse(new Reader(data))),
      },
    });
  } finally {
    await cluster.disconnect().catch(() => {});
  }
}

export interface ConfigChange {
  readonly topic: string;
  /** Broker's names; what is not named stays as it is. */
  readonly config: Readonly<Record<string, string>>;
}

const topicResource = 2;
const set = 0;

/**
 * Sets the named settings of topics and leaves all others as they are. (AlterConfigs, which kafkajs knows, resets every
 * setting that is not named: an operator's throttles, too.)
 * @throws Error with what the broker says of each topic that it refused
 */
export function setTopicConfigs(kafka: Kafka, changes: readonly ConfigChange[]): Promise<void> {
  const resources = changes.map(({ topic, config }) => [
    int8(topicResource),
    text(topic),
    list(Object.entries(config).map(([name, value]) => [text(name), int8(set), text(value)])),
  ]);
  const body = join([list(resources), int8(0)]);
  return ask(kafka, { apiKey: 44, apiVersion: 0, apiName: 'IncrementalAlterConfigs', body }, (answer) => {
    answer.int32();
    const refusals = answer.list(() => {
      const code = answer.int16();
      const message = answer.text();
      answer.int8();
      return { code, words: `${answer.text()}: ${message ?? `error ${code}`}` };
    });
    throwRefusals(refusals);
  });
}

export interface ScramUser {
  readonly username: string;
  readonly password: string;
}

const scramSha512 = 2;
const iterations = 4_096;

/**
 * Makes SCRAM-SHA-512 users, or gives those that are there this password. Connections that are open stay so.
 * @throws Error with what the broker says of each user that it refused
 */
export function setScramUsers(kafka: Kafka, users: readonly ScramUser[]): Promise<void> {
  const upsertions = users.map(({ username, password }) => {
    const salt = randomBytes(32);
    const salted = pbkdf2Sync(password, salt, iterations, 64, 'sha512');
    return [
      ...[compactBytes(Buffer.from(username)), int8(scramSha512), int32(iterations)],
      ...[compactBytes(salt), compactBytes(salted), noTags],
    ];
  });
  // The first byte ends the request's header, the others are the body.
  const body = join([noTags, compactList([]), compactList(upsertions), noTags]);
  return ask(kafka, { apiKey: 51, apiVersion: 0, apiName: 'AlterUserScramCredentials', body }, (answer) => {
    answer.tags();
    answer.int32();
    const refusals = answer.compactList(() => {
      const user = answer.compactText();
      const code = answer.int16();
      const message = answer.compactText();
      answer.tags();
      return { code, words: `${user}: ${message ?? `error ${code}`}` };
    });
    throwRefusals(refusals);
  });
}

function throwRefusals(answers: readonly { readonly code: number; readonly words: string }[]): void {
  const refused = answers.filter(({ code }) => code !== 0).map(({ words }) => words);
  if (refused.length > 0) throw new Error(`Kafka refuses: ${refused.join('; ')}`);
}

const bytes = (size: number, write: (buffer: Buffer) => void): Buffer => {
  const buffer = Buffer.alloc(size);
  write(buffer);
  return buffer;
};
type Parts = readonly (Buffer | readonly Buffer[])[];
const join = (parts: Parts): Buffer => Buffer.concat(parts.flat());
const int8 = (value: number): Buffer => bytes(1, (buffer) => buffer.writeInt8(value));
const int32 = (value: number): Buffer => bytes(4, (buffer) => buffer.writeInt32BE(value));
const text = (value: string): Buffer => {
  const content = Buffer.from(value);
  return join([bytes(2, (buffer) => buffer.writeInt16BE(content.length)), content]);
};
const list = (items: Parts): Buffer => join([int32(items.length), ...items]);

/** Flexible versions of requests: lengths are variable and one more than they say. */
const noTags = Buffer.from([0]);
const varint = (value: number): Buffer => {
  const parts: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...parts, rest]);
    parts.push((rest & 0x7f) | 0x80);
  }
};
const compactBytes = (content: Buffer): Buffer => join([varint(content.length + 1), content]);
const compactList = (items: Parts): Buffer => join([varint(items.length + 1), ...items]);

class Reader {
  private at = 0;

  constructor(private readonly data: Buffer) {}

  int8 = (): number => this.data.readInt8(this.advance(1));
  int16 = (): number => this.data.readInt16BE(this.advance(2));
  int32 = (): number => this.data.readInt32BE(this.advance(4));
  text = (): string | null => this.string(this.int16());
  list = <T>(item: () => T): T[] => Array.from({ length: this.int32() }, item);
  compactText = (): string | null => this.string(this.varint() - 1);
  compactList = <T>(item: () => T): T[] => Array.from({ length: this.varint() - 1 }, item);

  /** Fields that later versions of Kafka may add. */
  tags(): void {
    for (let left = this.varint(); left > 0; left--) {
      this.varint();
      this.advance(this.varint());
    }
  }

  private varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const part = this.data.readUInt8(this.advance(1));
      value |= (part & 0x7f) << shift;
      if (part < 0x80) return value;
    }
  }

  private string(length: number): string | null {
    return length < 0 ? null : this.data.toString('utf8', this.advance(length), this.at);
  }

  private advance(size: number): number {
    const from = this.at;
    this.at += size;
    return from;
  }
}
