import type { temporal } from '@temporalio/proto';
import {
  createPaymentActivities,
  type PaymentTransitions,
  type ProviderActivities,
} from '../../activities/payments';
import { foldPayment, type Payment } from '../../domain/payment';
import type { PaymentFact, PaymentOrder } from '../../domain/paymentFacts';
import { standardPolicies } from '../../domain/policies';
import { stepsOf } from '../../platform/outbox';
import type { Pool } from '../../platform/postgres';
import { balancesOf } from '../../services/payments/books/ledger';
import { getPayment } from '../../services/payments/books/paymentStore';
import { commitFacts, paymentOrder, paymentsDatabase, providerAccess } from './payments';
import { startPaymentSaga, type PaymentSaga } from './paymentSaga';
import { playedProvider, type PlayedProvider } from './playedProvider';
import { eventually } from './rideSaga';
import { timeSkippingEnvironment } from './servers';
import { vaultInMemory } from '../../tools/vaultInMemory';

/** Payments whose time can be skipped: real books in a real Postgres, a provider that is played. */
export interface PlayedPayments {
  readonly pool: Pool;
  readonly provider: PlayedProvider;
  readonly saga: PaymentSaga;
  readonly transitions: PaymentTransitions;
  /**
   * What an attempt of a payment's workflow that was lost had committed behind its opening: its local activities leave
   * nothing in the history. Answers the order, to be opened.
   */
  committed(changes: Partial<PaymentOrder>, ...facts: PaymentFact[]): Promise<PaymentOrder>;
  /** What the clock says, in milliseconds since 1970. */
  now(): Promise<number>;
  /** Moves the clock. */
  sleep(duration: number | `${number} minutes`): Promise<void>;
  /** A payment whose ride cost 15 dollars. */
  captured(): Promise<string>;
  untilStatus(rideId: string, ...statuses: Payment['status'][]): Promise<Payment>;
  untilHeard(rideId: string): Promise<string[]>;
  untilAsked(rideId: string, what: string): Promise<unknown>;
  untilEvent(rideId: string, attributes: keyof temporal.api.history.v1.IHistoryEvent): Promise<unknown>;
  /** How a payment ends once the time for tips and refunds is over. */
  resultAfterWindow(rideId: string): Promise<string>;
  factTypes(rideId: string): Promise<string[]>;
  /** What the payment did to each account, in minor units. */
  booked(rideId: string): Promise<Record<string, number>>;
  /** The row, and what its facts fold to: the same. */
  rowAndFold(rideId: string): Promise<[Payment | null, Payment | null]>;
  stop(): Promise<void>;
}

type Activities = PaymentTransitions & ProviderActivities;

/** `between` puts something between the payments and their books or the played provider. */
export async function startPlayedPayments(
  between: (activities: Activities) => Activities = (activities) => activities,
): Promise<PlayedPayments> {
  const [env, pool] = await Promise.all([timeSkippingEnvironment(), paymentsDatabase()]);
  const provider = playedProvider();
  const { transitions } = createPaymentActivities({
    vault: vaultInMemory(),
    pool,
    provider: providerAccess(pool, 'http://127.0.0.1:1').client,
  });
  const saga = await startPaymentSaga({
    connection: env.connection,
    nativeConnection: env.nativeConnection,
    activities: between({ ...transitions, ...provider.activities }),
  });
  const payments: PlayedPayments = {
    pool,
    provider,
    saga,
    transitions,
    async committed(changes, ...facts) {
      const order = paymentOrder(changes);
      const opened: PaymentFact = { type: 'payment.opened', at: new Date().toISOString(), data: order };
      await commitFacts(transitions, order.rideId, 0, [opened, ...facts]);
      return order;
    },
    now: () => env.currentTimeMs(),
    sleep: (duration) => env.sleep(duration),
    async captured() {
      const rideId = await saga.open();
      await payments.untilStatus(rideId, 'authorized');
      await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
      await payments.untilStatus(rideId, 'captured');
      return rideId;
    },
    untilStatus: (rideId, ...statuses) =>
      eventually(async () => {
        const payment = await getPayment(pool, rideId);
        return payment && statuses.includes(payment.status) ? payment : undefined;
      }),
    untilHeard: (rideId) =>
      eventually(async () => {
        const heard = await saga.heard(rideId);
        return heard.length > 0 ? heard : undefined;
      }),
    untilAsked: (rideId, what) =>
      eventually(() => Promise.resolve(provider.asked(rideId).includes(what) || undefined)),
    untilEvent: (rideId, attributes) =>
      eventually(async () => {
        const { events } = await saga.handle(rideId).fetchHistory();
        return events?.some((event) => event[attributes]) || undefined;
      }),
    async resultAfterWindow(rideId) {
      await payments.untilStatus(rideId, 'captured', 'partially_refunded', 'refunded');
      await env.sleep(standardPolicies.refundWindowMs + 60_000);
      return saga.result(rideId);
    },
    factTypes: async (rideId) => (await stepsOf(pool, rideId)).map((step) => step.factType),
    booked: async (rideId) =>
      Object.fromEntries((await balancesOf(pool, rideId)).map((line) => [line.account, line.amountMinor])),
    async rowAndFold(rideId) {
      const steps = await stepsOf<PaymentFact>(pool, rideId);
      const folded = steps.reduce<Payment | null>((payment, { fact }) => foldPayment(payment, fact), null);
      return [await getPayment(pool, rideId), folded];
    },
    async stop() {
      await saga.stop();
      await env.teardown();
      await pool.end();
    },
  };
  return payments;
}
