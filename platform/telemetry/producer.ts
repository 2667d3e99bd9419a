import type { FactProducer } from '../kafka/producer';
import { withBatchSpan } from './batches';
import { SpanKind } from './trace';

/** The same producer, each of whose sends has a span that is linked to where its facts were made. */
export function tracedProducer(producer: FactProducer): FactProducer {
  return {
    send(records, options) {
      const topics = new Set(records.map(({ topic }) => topic));
      const [topic] = topics;
      const one = topics.size === 1 ? topic : undefined;
      const name = one === undefined ? 'send' : `send ${one}`;
      const attributes = {
        'messaging.system': 'kafka',
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        ...(one === undefined ? {} : { 'messaging.destination.name': one }),
      };
      return withBatchSpan({ name, kind: SpanKind.CLIENT, attributes }, records, () =>
        producer.send(records, options),
      );
    },
    disconnect: () => producer.disconnect(),
  };
}
