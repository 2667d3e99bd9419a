import { Counter, Histogram } from 'prom-client';
import { secondsOfEncoding } from '../kafka/produceRequest';
import type { Metrics } from '../metrics';
import type { ProducerObserver } from '../observers';
import { durations } from './durations';

/** For `createFactProducer({ observer })`; one for all the producers of a process. */
export function observeProducer({ registry }: Metrics): ProducerObserver {
  const registers = [registry];
  const sent = new Counter({
    name: 'messaging_client_sent_messages_total',
    help: 'Records that all replicas have acknowledged, by partition',
    labelNames: [
      'messaging_system',
      'messaging_operation_name',
      'messaging_destination_name',
      'messaging_destination_partition_id',
    ],
    registers,
  });
  const bytes = new Counter({
    name: 'hailway_producer_sent_bytes_total',
    help: 'Bytes of these records: keys, values and headers, before compression',
    labelNames: ['messaging_destination_name'],
    registers,
  });
  const operation = new Histogram({
    name: 'messaging_client_operation_duration_seconds',
    help: 'Time until a request with records was answered; with error_type where it was not an acknowledgement',
    labelNames: ['messaging_system', 'messaging_operation_name', 'error_type'],
    buckets: durations,
    registers,
  });
  new Counter({
    name: 'hailway_producer_encoding_seconds_total',
    help: 'Time that records took to encode',
    registers,
    collect() {
      this.reset();
      this.inc(secondsOfEncoding());
    },
  });
  const of = { messaging_system: 'kafka', messaging_operation_name: 'send' } as const;
  return {
    sent({ topic, partition }, records, size) {
      sent.inc(
        { ...of, messaging_destination_name: topic, messaging_destination_partition_id: String(partition) },
        records,
      );
      bytes.inc({ messaging_destination_name: topic }, size);
    },
    answered: (seconds, error) =>
      operation.observe({ ...of, ...(error === null ? {} : { error_type: error }) }, seconds),
  };
}
