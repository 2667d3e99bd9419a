import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import Stripe from 'stripe';
import { createPaymentActivities } from '../../activities/payments';
import { createDisputeActivities } from '../../activities/payments/disputes';
import { createPayoutActivities } from '../../activities/payments/payouts';
import type { Payment } from '../../domain/payment';
import { standardPolicies } from '../../domain/policies';
import type { Pool } from '../../platform/postgres';
import type { Attempt } from '../../services/payments/provider/attempts';
import { observedHttp } from '../../services/payments/provider/observedHttp';
import { getPayment } from '../../services/payments/books/paymentStore';
import { createTellNews } from '../../services/payments/news/tellNews';
import { prepareNamespace } from '../../tools/stack/namespace';
import { eventAddress, openEventDoor } from './eventDoor';
import { paymentsDatabase, providerAccess } from './payments';
import { startPaymentSaga, type PaymentSaga } from './paymentSaga';
import { webhookSecret } from './providerEvents';
import { eventually } from './rideSaga';
import { startPsp, type RunningPsp } from './sandboxPsp';
import { temporalAddress } from './servers';
import { vaultInMemory } from '../../tools/vaultInMemory';

/** Payments on a real Temporal, a real Postgres, and a provider that keeps books of its own. */
export interface RealPayments {
  readonly pool: Pool;
  readonly psp: RunningPsp;
  readonly saga: PaymentSaga;
  /** Waits until the committed payment is so. */
  untilStatus(rideId: string, status: Payment['status']): Promise<Payment>;
  /** Waits until the ride has heard of its payment. */
  untilTold(rideId: string): Promise<string[]>;
  readonly stop: () => Promise<void>;
}

export interface RealPaymentsOptions {
  /** Hears of every request to the provider, as in the payments process. */
  readonly observe?: (attempt: Attempt) => void;
  /** Of the topics that the facts go to. */
  readonly topicPrefix?: string;
  /** The provider posts its events to the gateway's door; nobody hears them unless told. */
  readonly hasNews?: boolean;
}

export async function startRealPayments({
  observe = () => {},
  topicPrefix = '',
  hasNews = false,
}: RealPaymentsOptions = {}): Promise<RealPayments> {
  const address = temporalAddress();
  await prepareNamespace(address, 'default');
  const [pool, connection, nativeConnection] = await Promise.all([
    paymentsDatabase(),
    Connection.connect({ address }),
    NativeConnection.connect({ address }),
  ]);
  const temporal = new Client({ connection });
  const tell = createTellNews({ pool, temporal, policies: standardPolicies, deadlineMs: 5_000 });
  const door = await openEventDoor({ pool, tell });
  const webhooks = { url: eventAddress(door), secret: webhookSecret, firstPauseMs: 100 };
  const psp = await startPsp(hasNews ? { webhooks } : {});
  const access = {
    pool,
    vault: vaultInMemory(),
    provider: providerAccess(pool, psp.url, {
      httpClient: observedHttp(Stripe.createNodeHttpClient(), observe),
    }).client,
    topicPrefix,
    returnUrl: 'https://app.example/paid',
  };
  const { transitions, provider } = createPaymentActivities(access);
  const saga = await startPaymentSaga({
    connection,
    nativeConnection,
    activities: {
      ...{ ...transitions, ...provider },
      ...{ ...createDisputeActivities(access), ...createPayoutActivities(access) },
    },
  });
  return {
    pool,
    psp,
    saga,
    untilStatus: (rideId, status) =>
      eventually(async () => {
        const payment = await getPayment(pool, rideId);
        return payment?.status === status ? payment : undefined;
      }, 30_000),
    untilTold: (rideId) =>
      eventually(async () => {
        const heard = await saga.heard(rideId);
        return heard.length > 0 ? heard : undefined;
      }, 30_000),
    async stop() {
      await saga.stop();
      await nativeConnection.close();
      await connection.close();
      await psp.stop();
      await door.close();
      await pool.end();
    },
  };
}
