import { createFactProducer, createKafka, partitionFor } from '../../../platform/kafka';
import { createMetrics } from '../../../platform/metrics';
import { observeProducer } from '../../../platform/metrics/producer';
import { observeRelays } from '../../../platform/metrics/relay';
import { createPool } from '../../../platform/postgres';
import { runRelay } from '../../../platform/relay';
import { tracedProducer } from '../../../platform/telemetry';
import { runContestant, type Contest } from './contest';
import { makeFacts, PARTITIONS, WARM_UP } from './facts';
import { sendFromMemory } from './fromMemory';

const log = { debug: () => {}, info: () => {}, warn: console.error, error: console.error };

/** As its process runs it, metrics and all. Ready when it has relayed some facts that are there before; what is to be timed is committed after that. */
async function hailway({ kafkaBroker, databaseUrl, count, ready, done }: Contest): Promise<void> {
  const kafka = createKafka({ brokers: [kafkaBroker], clientId: 'relay', log });
  const metrics = createMetrics('relay');
  const producers = observeProducer(metrics);
  let sent = 0;
  await runRelay({
    ...{ databaseUrl, database: 'bench', kafka, log, signal: new AbortController().signal },
    observer: observeRelays(metrics)('bench', createPool(databaseUrl, { applicationName: 'bench', max: 1 })),
    createProducer: () => {
      const producer = tracedProducer(createFactProducer(kafka, { log, observer: producers }));
      return {
        async send(records, options) {
          await producer.send(records, options);
          const before = sent;
          sent += records.length;
          // A relay may repeat facts, and then passes these numbers without being at them.
          if (before < WARM_UP && sent >= WARM_UP) void ready();
          if (before < WARM_UP + count && sent >= WARM_UP + count) done();
        },
        disconnect: () => producer.disconnect(),
      };
    },
  });
}

/** What the ceiling would be if it had our encoder. */
async function ownClient(contest: Contest): Promise<void> {
  const kafka = createKafka({ brokers: [contest.kafkaBroker], clientId: 'bench', log });
  const messages = makeFacts(contest.topic, contest.count).map(({ key, value, headers }) => ({
    ...{ key, value, headers, partition: partitionFor(key, PARTITIONS) },
  }));
  await sendFromMemory(kafka, messages, contest);
}

/** The house's relay, and its client alone. */
runContestant({ hailway, ownClient });
