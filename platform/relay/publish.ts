import type { KafkaLog } from '../kafka/client';
import { KafkaRefused, type FactProducer } from '../kafka/producer';
import type { RelayObserver } from '../observers';
import type { OutboxFact } from './outboxReader';
import { topicKey, type Parking } from './position';

export interface PublishOptions {
  /** For logs. */
  readonly database: string;
  readonly producer: FactProducer;
  readonly log: KafkaLog;
  readonly observer?: RelayObserver | undefined;
  /** Aborted when what is under way shall end. */
  readonly lateSignal: AbortSignal;
}

/** Sends the facts but those of parked keys. Returns the keys to park now: each had a fact that is refused by itself. */
export async function publish(facts: readonly OutboxFact[], options: PublishOptions): Promise<Parking[]> {
  const parked = new Map<string, Parking>();
  const send = async (candidates: readonly OutboxFact[]): Promise<void> => {
    const part = parked.size === 0 ? candidates : candidates.filter((fact) => !parked.has(topicKey(fact)));
    const [fact] = part;
    if (!fact) return;
    const startedAtMs = performance.now();
    try {
      await options.producer.send(part, { signal: options.lateSignal });
      options.observer?.sent(part.length, bytesOf(part), (performance.now() - startedAtMs) / 1_000);
    } catch (error) {
      if (!(error instanceof KafkaRefused)) throw error;
      if (part.length === 1) {
        const { topic, key, id: outboxId } = fact;
        const parking = { topic, key, outboxId, reason: error.code };
        parked.set(topicKey(parking), parking);
        options.observer?.refused();
        options.log.error(
          { database: options.database, ...parking },
          'Kafka refuses a fact: its key is parked',
        );
        return;
      }
      // Halves, in order, until the one is found that is refused alone. What was stored already is stored twice.
      const middle = part.length >> 1;
      await send(part.slice(0, middle));
      await send(part.slice(middle));
    }
  };
  await send(facts.some((fact) => fact.parked) ? facts.filter((fact) => !fact.parked) : facts);
  return [...parked.values()];
}

const bytesOf = (facts: readonly OutboxFact[]): number =>
  facts.reduce((sum, { value }) => sum + Buffer.byteLength(value), 0);
