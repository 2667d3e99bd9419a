/** A partition of a topic. */
export interface Partition {
  readonly topic: string;
  readonly partition: number;
}

/** One text for a partition, for keys of maps and for messages. */
export const partitionName = (topic: string, partition: number): string => `${topic}/${partition}`;

/** The partition that `partitionName` names: topics have no slash in their names. */
export function namedPartition(name: string): Partition {
  const [topic = '', partition] = name.split('/');
  return { topic, partition: Number(partition) };
}
