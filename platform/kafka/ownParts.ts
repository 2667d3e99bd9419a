import { createRequire } from 'node:module';
import { produceRequest } from './produceRequest';
import { decodeBatchOr, type DecodeBatch } from './recordBatch';

/*
 * What kafkajs does slowly, and is done here instead: by its modules' names, each with what is called in its place. Its
 * releases ended with 2.2.4, and it keeps what it finds when it is loaded, so this comes before it.
 */
const load = createRequire(__filename);

function replace(module: string, own: unknown): void {
  load(module);
  load.cache[load.resolve(module)]!.exports = own;
}

const batchDecoder = 'kafkajs/src/protocol/recordBatch/v0/decoder';

replace('kafkajs/src/protocol/requests/produce/v3/request', produceRequest);
replace('kafkajs/src/producer/groupMessagesPerPartition', byPartition);
replace(batchDecoder, decodeBatchOr(load(batchDecoder) as DecodeBatch));

/** Messages by their partitions, in their order; kafkajs copies a partition's list for each message. */
export function byPartition<M>(args: {
  readonly topic: string;
  readonly partitionMetadata: readonly unknown[];
  readonly messages: readonly M[];
  readonly partitioner: (of: { topic: string; partitionMetadata: readonly unknown[]; message: M }) => number;
}): Record<number, M[]> {
  const { topic, partitionMetadata, messages, partitioner } = args;
  const lists: Record<number, M[]> = {};
  if (partitionMetadata.length === 0) return lists;
  for (const message of messages)
    (lists[partitioner({ topic, partitionMetadata, message })] ??= []).push(message);
  return lists;
}
