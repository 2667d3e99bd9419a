import Stripe from 'stripe';
import { paymentMessages } from '../../activities/messages';
import { createPaymentActivities } from '../../activities/payments';
import { createDisputeActivities } from '../../activities/payments/disputes';
import { createPayoutActivities } from '../../activities/payments/payouts';
import { createReconciliationActivities } from '../../activities/payments/reconciliation';
import { deployments, taskQueues } from '../../domain/names';
import { scalePolicies, standardPolicies } from '../../domain/policies';
import { portVariable } from '../../platform/config';
import { createHttpApp, listen } from '../../platform/http';
import { openKafka } from '../../platform/kafka';
import { openVault } from '../../platform/personal/open';
import { createPool } from '../../platform/postgres';
import { runProcess } from '../../platform/shutdown';
import { installTemporalRuntime, startWorker, workflowBundlePath } from '../../platform/temporal';
import { createAttemptLog } from './provider/attempts';
import { createProviderGate } from './provider/gate';
import { countAttempt, countOpenPayments, showGate } from './metrics';
import { observedHttp } from './provider/observedHttp';
import { createProviderClient } from './provider/client';
import { keepForAWhile } from './provider/retention';
import { showDrifts } from './reconciliation/metrics';

/** The payments worker: carries every payment's workflow, its books and its calls to the provider. */
runProcess('payments', async ({ config, log, metrics, signal, fail }) => {
  const pool = createPool(config.PAYMENTS_DATABASE_URL, { applicationName: 'payments', max: 6, log });
  const gate = createProviderGate();
  metrics.watchPool('payments', pool);
  const attempts = createAttemptLog({ pool, log });
  const lastAttempt = new AbortController();
  const attemptsWritten = attempts.run(lastAttempt.signal);
  const oldDropped = keepForAWhile(pool, { signal, log });
  // Behind the gate: an attempt is what has left the house.
  const sending = observedHttp(Stripe.createNodeHttpClient(), (attempt) => {
    attempts.note(attempt);
    countAttempt(metrics, attempt);
  });
  const account = { apiKey: config.STRIPE_API_KEY, apiBase: config.STRIPE_API_BASE };
  countOpenPayments(metrics, pool);
  showGate(metrics, gate);
  showDrifts(metrics, pool);
  const personal = openVault(config, { name: 'payments', log, metrics });
  const access = {
    pool,
    vault: personal.vault,
    provider: createProviderClient({ ...account, httpClient: gate.wrap(sending) }),
    returnUrl: config.PAYMENT_RETURN_URL,
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
  };
  const { transitions, provider } = createPaymentActivities(access);
  const reconciliation = createReconciliationActivities({
    pool,
    // Its looks are no attempts of a payment's.
    provider: createProviderClient({ ...account, httpClient: gate.wrap(Stripe.createNodeHttpClient()) }),
    kafka: openKafka('payments', { config, log, signal, fail }),
    taskQueue: taskQueues.payments,
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    policies: scalePolicies(standardPolicies, config.HAILWAY_SPEED),
  });
  installTemporalRuntime(log);
  const worker = await startWorker({
    address: config.TEMPORAL_ADDRESS,
    namespace: config.TEMPORAL_NAMESPACE,
    taskQueue: taskQueues.payments,
    activities: {
      ...{ ...transitions, ...provider, ...paymentMessages },
      ...{ ...createDisputeActivities(access), ...createPayoutActivities(access), ...reconciliation },
    },
    deploymentName: deployments.payments,
    codePath: config.HAILWAY_WORKFLOW_BUNDLE || workflowBundlePath(),
    setCurrent: config.HAILWAY_SET_CURRENT === 'yes',
    log,
    signal,
  });
  worker.stopped.catch(fail);

  const app = createHttpApp({ log, metrics, ready: { postgres: () => pool.query('select 1') } });
  const health = await listen(app, {
    port: config.HAILWAY_PAYMENTS_PORT,
    host: config.HAILWAY_HOST,
    portVariable: portVariable('payments'),
  });
  return async () => {
    await worker.stopped.catch(() => undefined);
    lastAttempt.abort();
    await attemptsWritten;
    await oldDropped;
    await health.close();
    await Promise.all([pool.end(), personal.close()]);
  };
});
