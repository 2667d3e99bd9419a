import Stripe from 'stripe';
import { paymentMessages } from '../../activities/messages';
import { createPaymentActivities } from '../../activities/payments';
import { deployments, taskQueues } from '../../domain/names';
import { portVariable } from '../../platform/config';
import { createHttpApp, listen } from '../../platform/http';
import { createPool } from '../../platform/postgres';
import { runProcess } from '../../platform/shutdown';
import { installTemporalRuntime, startWorker, workflowBundlePath } from '../../platform/temporal';
import { createProviderGate } from './gate';
import { createProviderClient } from './provider';

/** The payments worker: carries every payment's workflow, its books and its calls to the provider. */
runProcess('payments', async ({ config, log, signal, fail }) => {
  const pool = createPool(config.PAYMENTS_DATABASE_URL, { applicationName: 'payments', max: 6, log });
  const gate = createProviderGate();
  const { transitions, provider } = createPaymentActivities({
    pool,
    provider: createProviderClient({
      apiKey: config.STRIPE_API_KEY,
      apiBase: config.STRIPE_API_BASE,
      httpClient: gate.wrap(Stripe.createNodeHttpClient()),
    }),
    returnUrl: config.PAYMENT_RETURN_URL,
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
  });
  installTemporalRuntime(log);
  const worker = await startWorker({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    taskQueue: taskQueues.payments,
    activities: { ...transitions, ...provider, ...paymentMessages },
    deploymentName: deployments.payments,
    codePath: config.HAILWAY_WORKFLOW_BUNDLE || workflowBundlePath(),
    setCurrent: config.HAILWAY_SET_CURRENT === 'yes',
    log,
    signal,
  });
  worker.stopped.catch(fail);

  const app = createHttpApp({ log, ready: { postgres: () => pool.query('select 1') } });
  const health = await listen(app, {
    port: config.HAILWAY_PAYMENTS_PORT,
    host: config.HAILWAY_HOST,
    portVariable: portVariable('payments'),
  });
  return async () => {
    await worker.stopped.catch(() => undefined);
    await health.close();
    await pool.end();
  };
});
