import type { RawRecord } from '../kafka/consumer';

/** Records as the tables of the inbox keep them. */

/** Postgres keeps no NUL in text. */
export const printable = (text: string): string => text.replaceAll('\0', '\uFFFD');

/** Header values as base64, since they may be anything; none, which Kafka allows, is an empty one. */
export function packHeaders(headers: RawRecord['headers']): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      printable(name),
      [value].flat().map((one) => Buffer.from((one ?? '') as string).toString('base64')),
    ]),
  );
}

/** Headers of `packHeaders` as they came from Kafka. */
export function unpackHeaders(packed: Readonly<Record<string, readonly string[]>>): RawRecord['headers'] {
  return Object.fromEntries(
    Object.entries(packed).map(([name, values]) => {
      const buffers = values.map((one) => Buffer.from(one, 'base64'));
      return [name, buffers.length === 1 ? buffers[0]! : buffers];
    }),
  );
}

/** The fact's id as Postgres writes what `packHeaders` made of it; empty where the record says none. */
export const packedId = ({ headers }: RawRecord): string => {
  const words = packHeaders('ce_id' in headers ? { ce_id: headers['ce_id'] } : {})['ce_id'];
  return words === undefined ? '' : `[${words.map((word) => `"${word}"`).join(', ')}]`;
};
