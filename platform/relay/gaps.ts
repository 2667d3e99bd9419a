import type { KafkaLog } from '../kafka/client';
import type { RelayObserver } from '../observers';
import type { OutboxFact, RelayedFact } from './outboxReader';
import { topicKey } from './position';

/** Keys that are remembered; the one that had no fact for longest is forgotten first. */
const mostKeys = 50_000;

export interface GapDetector {
  /** Takes facts for seen that the lane's owners before have relayed, once: what was looked at meanwhile is held against them. */
  remember(relayed: readonly RelayedFact[]): void;
  /** Looks at facts on their way. */
  look(facts: readonly OutboxFact[]): void;
}

/**
 * Holds each fact's `ce_sequence` against the last one of its key that this relay has seen, or knows of from the outbox:
 * above it by more than one means that a fact is missing, which the outbox makes impossible, so it is an alarm. Repeats
 * are none.
 */
export function createGapDetector({
  database,
  log,
  observer,
}: {
  database: string;
  log: KafkaLog;
  observer?: RelayObserver | undefined;
}): GapDetector {
  const lastSeen = new Map<string, number>();
  /** Where this relay saw each key first, until it is known what was relayed before. */
  let firstSeen: Map<string, number> | undefined = new Map();
  const see = (key: string, sequence: number, last: number | undefined): void => {
    lastSeen.delete(key);
    lastSeen.set(key, Math.max(sequence, last ?? 0));
  };
  const compare = (key: string, last: number | undefined, sequence: number | undefined): void => {
    if (last === undefined || sequence === undefined || sequence <= last + 1) return;
    log.error({ database, key, last, sequence }, 'a fact is missing between two of its key');
    observer?.gap();
  };
  return {
    remember(relayed) {
      const before = new Map<string, number>();
      for (const fact of relayed) {
        const key = topicKey(fact);
        before.set(key, Math.max(Number(fact.sequence), before.get(key) ?? 0));
      }
      for (const [key, last] of before) {
        compare(key, last, firstSeen?.get(key));
        see(key, last, lastSeen.get(key));
      }
      firstSeen = undefined;
    },
    look(facts) {
      for (const fact of facts) {
        const key = topicKey(fact);
        const sequence = Number(fact.headers['ce_sequence']);
        const last = lastSeen.get(key);
        compare(key, last, sequence);
        if (firstSeen !== undefined && firstSeen.size < mostKeys && !firstSeen.has(key))
          firstSeen.set(key, sequence);
        see(key, sequence, last);
      }
      for (const key of lastSeen.keys()) {
        if (lastSeen.size <= mostKeys) break;
        lastSeen.delete(key);
      }
    },
  };
}
