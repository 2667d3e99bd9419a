import type { Kafka, KafkaLog } from '../kafka/client';
import type { FactProducer } from '../kafka/producer';
import type { InboxObserver } from '../observers';
import type { Pool } from '../postgres';
import type { Applied, Handle } from './apply';
import type { Skip } from './sorter';

/** Where dead letters go. */
export type DeadLetters = Pick<FactProducer, 'send'>;

export interface InboxOptions {
  /** Consumer group, also the name under which the database keeps positions and sequences. */
  readonly group: string;
  readonly topics: readonly string[];
  /** The consumer's database, with `inboxMigrations`. */
  readonly pool: Pool;
  readonly kafka: Kafka;
  /**
   * Applies facts, each of which is given once in the life of the database unless its transaction was rolled back.
   * Everything it changes goes through `tx`. Calls for different partitions overlap. What it throws is retried if
   * `isRetriable` says so; otherwise the fact goes to the dead-letter topic and its key is parked.
   */
  readonly handle: Handle;
  /** Facts that are not wanted: their sequence counts, `handle` does not see them, and they are counted by reason. */
  readonly skip?: Skip;
  readonly signal: AbortSignal;
  readonly log: KafkaLog;
  /** Facts of one transaction at most (10,000). */
  readonly maxFacts?: number;
  /** Transactions at once (3): as many connections. */
  readonly concurrency?: number;
  /**
   * Tries of one fact that fails by itself of what may pass, while the database answers (12: about half a minute); then
   * it is a dead letter, as whoever says that it may pass is wrong. A database that does not answer is waited for.
   */
  readonly maxTries?: number;
  /** `<group>.dead-letter`; it must exist and take records somewhat larger than the topics do. */
  readonly deadLetterTopic?: string;
  /** What sends dead letters: a producer of its own unless given; null sends none, and they are only parked. */
  readonly deadLetters?: DeadLetters | null;
  readonly observer?: InboxObserver;
  /** Told of every transaction, before Kafka is. */
  readonly onApplied?: (applied: Applied) => void;
}

export type SettlerOptions = InboxOptions & { readonly deadLetters: DeadLetters | null };
