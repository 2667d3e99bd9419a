import { problemPages } from '../../contracts/api/problems';
import { deadLetterRoutes } from '../../platform/deadLetters';
import { createMount } from '../../platform/http';
import { createFactProducer, openKafka, withAdmin } from '../../platform/kafka';
import { observeProducer } from '../../platform/metrics/producer';
import { observeRelays } from '../../platform/metrics/relay';
import { createPool } from '../../platform/postgres';
import { runRelay } from '../../platform/relay';
import { createRelayDeadLetters } from '../../platform/relay/deadLetters';
import { inOrder } from '../../platform/relay/outboxReader';
import { serveRoles } from '../../platform/serveRoles';
import { runProcess } from '../../platform/shutdown';
import { tracedProducer } from '../../platform/telemetry';

/** Moves the committed facts of every owning database to Kafka: by their lanes, each with a producer of its own. */
runProcess('relay', async ({ config, log, metrics, signal, fail }) => {
  const databases = {
    rides: config.RIDES_DATABASE_URL,
    payments: config.PAYMENTS_DATABASE_URL,
    pricing: config.PRICING_DATABASE_URL,
    analytics: config.ANALYTICS_DATABASE_URL,
    tracks: config.TRACKS_DATABASE_URL,
  };
  const kafka = openKafka('relay', { config, log, signal, fail });
  const producers = observeProducer(metrics);
  const watch = observeRelays(metrics);
  const loops = Object.entries(databases).map(([database, databaseUrl]) => {
    // For metrics, and for operators.
    const pool = createPool(databaseUrl, { applicationName: 'relay', max: 2, settings: inOrder, log });
    const createProducer = () => tracedProducer(createFactProducer(kafka, { log, observer: producers }));
    let lanes: readonly number[] | null = null;
    const done = runRelay({
      ...{ databaseUrl, database, kafka, createProducer, signal, log, observer: watch(database, pool) },
      onLanes: (now) => (lanes = now),
    })
      .catch(fail)
      .finally(() => pool.end());
    const ready = async (): Promise<void> => {
      if (lanes === null) throw new Error('without connection to the database');
    };
    return { database, pool, done, ready };
  });

  const deadLetters = createRelayDeadLetters({
    databases: Object.fromEntries(loops.map(({ database, pool }) => [database, pool])),
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    log,
  });
  const server = await serveRoles('relay', {
    ...{ config, log, metrics },
    problems: problemPages,
    routes: (router, requireRole) => deadLetterRoutes(createMount(router, requireRole), deadLetters),
    ready: {
      ...Object.fromEntries(loops.map(({ database, ready }) => [database, ready])),
      kafka: () => withAdmin(kafka, (admin) => admin.listTopics()),
    },
  });
  return async () => {
    await server.close();
    await Promise.all(loops.map(({ done }) => done));
  };
});
