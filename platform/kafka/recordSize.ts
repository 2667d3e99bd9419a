export interface OutgoingRecord {
  readonly topic: string;
  readonly key: string | Buffer | null;
  readonly value: string | Buffer | null;
  readonly headers: Readonly<Record<string, string | Buffer | (string | Buffer)[]>>;
}

/** The largest record, by `recordSize`, that a topic with Kafka's own bound (max.message.bytes 1,048,588) takes. */
export const mostRecordBytes = 1_048_576;

/**
 * Bytes of a record, a little more than it takes in its batch: 8 for the lengths of each header, and 64 for the record's
 * own and for the batch around it.
 * @throws TypeError for contents that are neither text nor bytes
 */
export function recordSize({ key, value, headers }: Omit<OutgoingRecord, 'topic'>): number {
  let size = 64 + byteLength(key) + byteLength(value);
  for (const [name, values] of Object.entries(headers)) {
    for (const text of Array.isArray(values) ? values : [values]) size += 8 + name.length + byteLength(text);
  }
  return size;
}

function byteLength(content: string | Buffer | null): number {
  if (content === null) return 0;
  if (typeof content === 'string') return Buffer.byteLength(content);
  if (!Buffer.isBuffer(content)) throw new TypeError(`${typeof content} is neither text nor bytes`);
  return content.length;
}
