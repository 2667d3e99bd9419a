import { readTopicRaw, type Kafka } from '../../../platform/kafka';

/** How many of a topic's facts are lost, and how many came before an earlier one of their key. */
export async function judgeTopic(
  kafka: Kafka,
  topic: string,
  count: number,
): Promise<{ lost: number; outOfOrder: number }> {
  const last = new Map<string, number>();
  let distinct = 0;
  let outOfOrder = 0;
  await readTopicRaw({
    kafka,
    topic,
    onRecord: ({ key, headers }) => {
      const sequence = Number(headers['ce_sequence']);
      const before = last.get(String(key)) ?? 0;
      if (sequence <= before) return;
      if (sequence > before + 1) outOfOrder += 1;
      distinct += 1;
      last.set(String(key), sequence);
    },
  });
  return { lost: count - distinct, outOfOrder };
}
