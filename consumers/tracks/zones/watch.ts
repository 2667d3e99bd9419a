import { readPositions } from '../../../contracts/readPositions';
import type { Zones } from '../../../domain/zones';
import { runConsumer, type Kafka, type KafkaLog, type RawRecord } from '../../../platform/kafka';
import type { LagClock } from '../../../platform/metrics/lag';
import type { Pool } from '../../../platform/postgres';
import { untilDone } from '../untilDone';
import { Sieve, type Crossing } from './sieve';
import { cross, staysNow } from './stays';

/** Who was told of elsewhere, in a partition that another process reads, is known here by then. */
const LEARN_EVERY_MS = 5_000;
/** In one transaction. */
const MOST_CROSSINGS = 500;

export interface WatchOptions {
  readonly kafka: Kafka;
  readonly group: string;
  /** With their prefix. */
  readonly topic: string;
  readonly topicPrefix: string;
  readonly pool: Pool;
  readonly zones: Zones;
  readonly signal: AbortSignal;
  readonly log: KafkaLog;
  readonly lag?: LagClock;
}

/**
 * Reads drivers' positions until the signal is aborted, and has it recorded when one enters or leaves a zone. Kafka is told
 * of a batch when what it changed is committed, so what is read again after a kill is what may not have been; and a
 * position that has been taken changes nothing by coming again.
 */
export async function watchZones(options: WatchOptions): Promise<void> {
  const { kafka, group, topic, topicPrefix, pool, signal, log, lag } = options;
  const sieve = new Sieve(options.zones);
  let learntMs = -Infinity;
  const learn = async (): Promise<void> => {
    const beganMs = performance.now();
    sieve.learn(await staysNow(pool));
    learntMs = beganMs;
  };
  await runConsumer({
    ...{ kafka, group, topics: [topic], signal, log },
    // One batch at a time: nobody changes what another has just looked at.
    concurrency: 1,
    onAssigned(assigned) {
      lag?.assigned(assigned);
      sieve.readAgain();
      learntMs = -Infinity;
    },
    async onBatch(batch) {
      const [first] = batch.records;
      if (first === undefined) return;
      lag?.inHand(batch, first.timestamp);
      const isDone = await untilDone(
        async () => {
          if (performance.now() - learntMs > LEARN_EVERY_MS) await learn();
          return true;
        },
        { isWanted: () => batch.isLive(), signal, log, trouble: 'who is in a zone is not known' },
      );
      if (isDone === undefined) return;
      const crossings = crossingsIn(sieve, batch.records);
      for (let start = 0; start < crossings.length; start += MOST_CROSSINGS) {
        const some = crossings.slice(start, start + MOST_CROSSINGS);
        const stays = await untilDone(() => cross(pool, some, topicPrefix), {
          ...{ isWanted: () => batch.isLive(), signal, log, trouble: 'zones are not told' },
        });
        if (stays === undefined) {
          // What the sieve believes is not committed.
          learntMs = -Infinity;
          sieve.readAgain();
          return;
        }
        for (const stay of stays) sieve.note(stay);
      }
      lag?.done(batch);
      await batch.commit(batch.records.at(-1)!.offset + 1);
    },
  });
}

function crossingsIn(sieve: Sieve, records: readonly RawRecord[]): Crossing[] {
  const crossings: Crossing[] = [];
  for (const { value, timestamp } of records) {
    const rows = readPositions(value, timestamp);
    if (rows !== null) crossings.push(...sieve.crossings(rows, timestamp));
  }
  return crossings;
}
