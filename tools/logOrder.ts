import { readTopicRaw, type Kafka } from '../platform/kafka';

/** A topic's facts as they lie in Kafka: for verdicts, which count from nothing but the log. */
export interface LogOrder {
  /** Facts that are there, however often; by key what its highest sequence is and how many below it are not there. */
  readonly distinct: number;
  readonly keys: ReadonlyMap<string, { readonly highest: number; readonly missing: number }>;
  readonly repeats: number;
  /** Facts that came before an earlier one of their key, a sentence each. */
  readonly outOfOrder: readonly string[];
}

/** Reads a topic to its end. What counts of a fact is its first occurrence: relays may repeat. */
export async function readLogOrder(kafka: Kafka, topic: string): Promise<LogOrder> {
  const seen = new Map<string, { highest: number; readonly passedOver: Set<number> }>();
  const outOfOrder: string[] = [];
  let distinct = 0;
  let records = 0;
  await readTopicRaw({
    kafka,
    topic,
    onRecord({ key: bytes, headers }) {
      records += 1;
      const key = String(bytes);
      const sequence = Number(headers['ce_sequence']);
      let of = seen.get(key);
      if (!of) seen.set(key, (of = { highest: 0, passedOver: new Set() }));
      if (sequence <= of.highest) {
        if (of.passedOver.delete(sequence)) distinct += 1;
        return;
      }
      distinct += 1;
      if (sequence > of.highest + 1) outOfOrder.push(`${key}: ${sequence} came to Kafka after ${of.highest}`);
      for (let passed = of.highest + 1; passed < sequence; passed += 1) of.passedOver.add(passed);
      of.highest = sequence;
    },
  });
  const keys = new Map(
    [...seen].map(([key, { highest, passedOver }]) => [key, { highest, missing: passedOver.size }]),
  );
  return { distinct, keys, repeats: records - distinct, outOfOrder };
}
