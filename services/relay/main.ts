import { createHttpApp, listen } from '../../platform/http';
import { createFactProducer, createKafka, withAdmin } from '../../platform/kafka';
import { createPool } from '../../platform/postgres';
import { runRelay, type RelayState } from '../../platform/relay';
import { runProcess } from '../../platform/shutdown';

/** Moves the committed facts of every owning database to Kafka: one loop and one producer for each. */
runProcess('relay', async ({ config, log, metrics, signal, fail }) => {
  const databases = {
    rides: config.RIDES_DATABASE_URL,
    payments: config.PAYMENTS_DATABASE_URL,
    pricing: config.PRICING_DATABASE_URL,
  };
  const kafka = createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'relay', log });
  const loops = Object.entries(databases).map(([database, url]) => {
    const pool = createPool(url, { applicationName: 'relay', max: 2, log });
    const producer = createFactProducer(kafka, { log });
    let state: RelayState = 'disconnected';
    const done = runRelay({ pool, database, producer, signal, log, onState: (now) => (state = now) })
      .catch(fail)
      .finally(() => producer.disconnect())
      .finally(() => pool.end());
    const ready = async (): Promise<void> => {
      if (state === 'disconnected') throw new Error('without connection to the database');
      await pool.query('select 1 from relay_position limit 1');
    };
    return { database, done, ready };
  });

  const app = createHttpApp({
    log,
    metrics,
    ready: {
      ...Object.fromEntries(loops.map(({ database, ready }) => [database, ready])),
      kafka: () => withAdmin(kafka, (admin) => admin.listTopics()),
    },
  });
  const server = await listen(app, {
    port: config.HAILWAY_RELAY_PORT,
    portVariable: 'HAILWAY_RELAY_PORT',
    host: config.HAILWAY_HOST,
  });
  return async () => {
    await server.close();
    await Promise.all(loops.map(({ done }) => done));
  };
});
