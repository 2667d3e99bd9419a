import { createFactProducer, createKafka, type FactProducer } from '../../platform/kafka';
import { runRelay } from '../../platform/relay';

/**
 * A relay in a process of its own that kills itself (SIGKILL) after `MORTAL_SENDS` sends were acknowledged and before
 * the last of them is marked; 0 for never. Ends by itself when it is killed or its parent is gone.
 */
const sends = Number(process.env['MORTAL_SENDS']);
const kafka = createKafka({ brokers: process.env['KAFKA_BROKERS']!.split(','), clientId: 'mortal-relay' });
let acknowledged = 0;
function mortal(): FactProducer {
  const producer = createFactProducer(kafka);
  return {
    async send(records, options) {
      await producer.send(records, options);
      acknowledged += 1;
      if (acknowledged === sends) process.kill(process.pid, 'SIGKILL');
    },
    disconnect: () => producer.disconnect(),
  };
}
const log = { debug: () => {}, info: () => {}, warn: console.error, error: console.error };
process.on('disconnect', () => process.exit(1));
void runRelay({
  databaseUrl: process.env['RELAY_DATABASE_URL']!,
  database: 'test',
  kafka,
  createProducer: mortal,
  signal: new AbortController().signal,
  log,
});
