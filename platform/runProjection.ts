import type { DeadLetterOffice } from './deadLetters';
import { createInboxDeadLetters, runInbox } from './inbox';
import type { Kafka, KafkaLog } from './kafka';
import type { Metrics } from './metrics';
import { observeInbox } from './metrics/inbox';
import type { Pool } from './postgres';
import type { Projection } from './projection';

/**
 * Runs a projection in its process, until the signal is aborted: its inbox, seen from outside, and the way out for what
 * that puts aside.
 * @returns `done` as `runInbox`
 */
export function runProjection(
  { name, topics, handle, skip }: Projection,
  context: {
    /** The consumer's database. */
    readonly pool: Pool;
    readonly kafka: Kafka;
    /** What topics and groups begin with in this installation. */
    readonly topicPrefix: string;
    readonly metrics: Metrics;
    readonly signal: AbortSignal;
    readonly log: KafkaLog;
  },
): { readonly done: Promise<void>; readonly deadLetters: DeadLetterOffice } {
  const { pool, kafka, topicPrefix, metrics, signal, log } = context;
  const group = topicPrefix + name;
  const from = { kafka, pool, group, topics: topics.map((topic) => topicPrefix + topic) };
  const observer = observeInbox({ ...from, metrics });
  return {
    done: runInbox({ ...from, observer, handle, skip, signal, log }),
    deadLetters: createInboxDeadLetters({ pool, group, consumer: name, topicPrefix, handle, skip, log }),
  };
}
