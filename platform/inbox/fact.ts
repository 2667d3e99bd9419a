import { CodedError } from '../errors';
import type { RawRecord } from '../kafka/consumer';
import { mostRecordBytes } from '../kafka/recordSize';

/** A fact as it came from Kafka. */
export interface Fact<Data = unknown> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The aggregate's id. */
  readonly key: string;
  /** `<type>/<id>/<sequence>`, the same however often it is delivered. */
  readonly id: string;
  readonly type: string;
  /** `ride.requested.v1`, when the producer says so. */
  readonly dataschema: string | undefined;
  /** The aggregate's version: 1, 2, 3, … for a key. */
  readonly sequence: number;
  /** When it happened, ISO 8601 UTC. */
  readonly time: string;
  readonly source: string;
  readonly correlationId: string;
  readonly causationId: string;
  readonly traceparent: string | undefined;
  /** Parsed JSON; not validated against the fact's schema. */
  readonly data: Data;
  /** The record as it lies in Kafka. */
  readonly record: RawRecord;
}

/** RFC 3339 has years of four digits, and Postgres no year 0. */
const years = { firstMs: Date.parse('0001-01-01T00:00:00Z'), lastMs: Date.parse('9999-12-31T23:59:59.999Z') };

/** When a fact happened, in milliseconds. @throws CodedError `fact_invalid` where its `ce_time` is no time */
export function timeOf({ id, time }: Pick<Fact, 'id' | 'time'>): number {
  const atMs = Date.parse(time);
  if (!(atMs >= years.firstMs && atMs <= years.lastMs))
    throw new CodedError('fact_invalid', `${id}: ce_time ${time} is no time`);
  return atMs;
}

/** A record that is no fact: it lacks what the CloudEvents binding asks for. */
export class MalformedFact extends Error {
  override readonly name = 'MalformedFact';
  readonly code = 'malformed_fact';
  readonly retriable = false;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What Postgres can keep in an index is about 2,700 bytes, with what stands beside it. */
const maxKeyBytes = 1_024;

/** The record's key as text, or null when there is none that Postgres could keep as text, and find again. */
export function keyOf({ key: bytes }: RawRecord): string | null {
  if (bytes === null || bytes.length === 0 || bytes.length > maxKeyBytes) return null;
  try {
    const key = utf8.decode(bytes);
    return key.includes('\0') ? null : key;
  } catch {
    return null;
  }
}

/** What a header says, where it has one value; null where it is missing, has none or has several. */
export function headerOf(headers: RawRecord['headers'], name: string): string | null {
  const value = headers[name] ?? null;
  return Array.isArray(value) ? null : (value?.toString() ?? null);
}

/** The aggregate's version that a record's headers say, whatever else is wrong with it; null where they say none. */
export function sequenceOf(headers: RawRecord['headers']): number | null {
  const sequence = Number(headerOf(headers, 'ce_sequence') ?? NaN);
  return Number.isSafeInteger(sequence) && sequence >= 1 ? sequence : null;
}

/**
 * Which fact of its key a record stands for, by its own word, whatever else is wrong with it: its sequence, where its id ends
 * with `/<key>/<sequence>` as each fact's does. `unknown` where it lacks one of the two, so that it may be any; `foreign`
 * where they disagree: somebody else wrote it, and it is none.
 */
export function placeOf(record: RawRecord): number | 'unknown' | 'foreign' {
  const { headers } = record;
  const [sequence, id] = [sequenceOf(headers), headerOf(headers, 'ce_id')];
  if (sequence === null || id === null) return 'unknown';
  return id.endsWith(`/${keyOf(record)}/${sequence}`) ? sequence : 'foreign';
}

/** The same, where it stands for one; null where it does not, or nobody can say for which. */
export function ownSequenceOf(record: RawRecord): number | null {
  const place = placeOf(record);
  return typeof place === 'number' ? place : null;
}

/**
 * Reads a record in CloudEvents' binary mode: attributes from the `ce_` headers, data from the value.
 * @throws MalformedFact saying what is missing or wrong.
 */
export const parseFact = (record: RawRecord): Fact => factOf(record, keyOf(record));

/** `parseFact` for who has asked `keyOf` already. */
export function factOf(record: RawRecord, key: string | null): Fact {
  if (key === null) throw new MalformedFact('the key is missing, too long or not UTF-8');
  const { headers, value } = record;
  const optional = (name: string): string | undefined => headerOf(headers, name) ?? undefined;
  const header = (name: string): string => {
    const said = headerOf(headers, name);
    if (!said) throw new MalformedFact(`header ${name} is missing`);
    return said;
  };
  if (header('ce_specversion') !== '1.0') throw new MalformedFact('ce_specversion is not 1.0');
  header('ce_sequence');
  const sequence = sequenceOf(headers);
  if (sequence === null) throw new MalformedFact('ce_sequence is not 1, 2, 3, …');
  if (value === null) throw new MalformedFact('the value is missing');
  // No fact of ours is larger (`appendFact`): somebody else wrote it.
  if (value.length > mostRecordBytes)
    throw new MalformedFact(`the value has ${value.length} bytes, ${mostRecordBytes} at most`);
  let data: unknown;
  try {
    data = JSON.parse(utf8.decode(value));
  } catch (error) {
    throw new MalformedFact('the value is not JSON', { cause: error });
  }
  return {
    topic: record.topic,
    partition: record.partition,
    offset: record.offset,
    key,
    id: header('ce_id'),
    type: header('ce_type'),
    dataschema: optional('ce_dataschema'),
    sequence,
    time: header('ce_time'),
    source: header('ce_source'),
    correlationId: header('ce_correlationid'),
    causationId: header('ce_causationid'),
    traceparent: optional('traceparent'),
    data,
    record,
  };
}
