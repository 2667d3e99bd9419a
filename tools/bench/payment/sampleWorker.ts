import { NativeConnection, Worker } from '@temporalio/worker';
import { createPaymentActivities } from '../../../activities/payments';
import { taskQueues } from '../../../domain/names';
import { portVariable } from '../../../platform/config';
import { createHttpApp, listen } from '../../../platform/http';
import { createPool } from '../../../platform/postgres';
import { runProcess } from '../../../platform/shutdown';
import { createProviderClient } from '../../../services/payments/provider/client';
import { vaultInMemory } from '../../vaultInMemory';

/** The worker of the sample: Hailway's own activities, all of them regular ones, and the worker's default options. */
runProcess('sample', async ({ config, log, signal, fail }) => {
  const pool = createPool(config.PAYMENTS_DATABASE_URL, { applicationName: 'sample', max: 6, log });
  const { transitions, provider } = createPaymentActivities({
    vault: vaultInMemory(),
    pool,
    provider: createProviderClient({ apiKey: config.STRIPE_API_KEY, apiBase: config.STRIPE_API_BASE }),
  });
  const connection = await NativeConnection.connect({ address: config.TEMPORAL_ADDRESS });
  const worker = await Worker.create({
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    taskQueue: taskQueues.payments,
    workflowsPath: require.resolve('./sampleWorkflow'),
    activities: { ...transitions, ...provider },
  });
  signal.addEventListener('abort', () => worker.shutdown(), { once: true });
  const stopped = worker.run().finally(() => connection.close());
  stopped.catch(fail);
  const app = createHttpApp({ log, ready: { postgres: () => pool.query('select 1') } });
  const health = await listen(app, { port: config.HAILWAY_RIDES_PORT, portVariable: portVariable('rides') });
  return async () => {
    await stopped.catch(() => undefined);
    await health.close();
    await pool.end();
  };
});
