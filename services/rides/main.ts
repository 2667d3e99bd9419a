import { rideMessages } from '../../activities/messages';
import { createRideActivities } from '../../activities/rides';
import { deployments, taskQueues } from '../../domain/names';
import { createClient } from '../../platform/client';
import { portVariable } from '../../platform/config';
import { createHttpApp, listen } from '../../platform/http';
import { openVault } from '../../platform/personal/open';
import { createPool } from '../../platform/postgres';
import { runProcess } from '../../platform/shutdown';
import { installTemporalRuntime, startWorker, workflowBundlePath } from '../../platform/temporal';
import { createFindNearby } from './location';
import { ensureRidePartitions } from './store';

const A_DAY_MS = 24 * 60 * 60 * 1_000;
/** Asked within the 3 s that a local activity has. */
const NEAREST_DEADLINE_MS = 1_000;

/** The rides worker: carries every ride's workflow and its dispatch. */
runProcess('rides', async ({ config, log, metrics, signal, fail }) => {
  const pool = createPool(config.RIDES_DATABASE_URL, { applicationName: 'rides', max: 6, log });
  metrics.watchPool('rides', pool);
  await ensureRidePartitions(pool);
  const partitions = setInterval(() => {
    ensureRidePartitions(pool).catch((error: unknown) => log.error({ err: error }, 'no new partitions'));
  }, A_DAY_MS);

  const personal = openVault(config, { name: 'rides', log, metrics });
  const location = createClient({
    name: 'location',
    baseUrl: config.LOCATION_URL,
    token: config.HAILWAY_SERVICE_TOKEN,
    deadlineMs: NEAREST_DEADLINE_MS,
    metrics,
  });
  const { transitions, dispatch, lifecycle } = createRideActivities({
    pool,
    vault: personal.vault,
    findNearby: createFindNearby(location),
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
  });
  installTemporalRuntime(log);
  const worker = await startWorker({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    taskQueue: taskQueues.rides,
    activities: { ...transitions, ...dispatch, ...lifecycle, ...rideMessages },
    deploymentName: deployments.rides,
    codePath: config.HAILWAY_WORKFLOW_BUNDLE || workflowBundlePath(),
    setCurrent: config.HAILWAY_SET_CURRENT === 'yes',
    log,
    signal,
  });
  worker.stopped.catch(fail);

  const app = createHttpApp({ log, metrics, ready: { postgres: () => pool.query('select 1') } });
  const health = await listen(app, {
    port: config.HAILWAY_RIDES_PORT,
    host: config.HAILWAY_HOST,
    portVariable: portVariable('rides'),
  });
  return async () => {
    clearInterval(partitions);
    await worker.stopped.catch(() => undefined);
    await health.close();
    await Promise.all([pool.end(), personal.close()]);
  };
});
