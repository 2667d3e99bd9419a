import { ApplicationFailure } from '@temporalio/common';
import { Client, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Connection, WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import type { NativeConnection } from '@temporalio/worker';
import { randomUUID } from 'node:crypto';
import { paymentMessages } from '../../activities/messages';
import type { PaymentTransitions, ProviderActivities } from '../../activities/payments';
import {
  paymentSignals,
  paymentUpdates,
  paymentWorkflowId,
  providerNews,
  rideWorkflowId,
  workflowTypes,
} from '../../domain/names';
import type { Payment, PaymentStatus } from '../../domain/payment';
import type { PaymentOrder } from '../../domain/paymentFacts';
import { standardPolicies, type Policies } from '../../domain/policies';
import type { PaymentStart, Refund, RefundOrder } from '../../domain/sagas';
import type { RideOutcome } from '../../domain/settlement';
import { testBundle } from './bundles';
import { paymentOrder } from './payments';

export interface PaymentSagaOptions {
  readonly connection: Connection;
  readonly nativeConnection: NativeConnection;
  readonly activities: PaymentTransitions & ProviderActivities;
}

/** Payments as their workflow carries them; the ride is only a listener. */
export interface PaymentSaga {
  readonly client: Client;
  readonly taskQueue: string;
  /** Starts a payment, and the ride that listens to it; the answer is the ride's id. */
  open(changes?: Partial<PaymentOrder>, policies?: Partial<Policies>): Promise<string>;
  handle(rideId: string): WorkflowHandle;
  /** The ride that listens. */
  ride(rideId: string): WorkflowHandle;
  /** The ride's last word. */
  rideEnded(rideId: string, outcome: RideOutcome): Promise<void>;
  /** The ride's workflow is over. */
  endRide(rideId: string): Promise<void>;
  tip(rideId: string, amountMinor: number): Promise<{ tipMinor: number; currency: string }>;
  /** Of `operator-1` unless it says who. */
  refund(rideId: string, order: Omit<RefundOrder, 'by'> & { readonly by?: string }): Promise<Refund>;
  /** The same for an operator's Update, answered with the payment after it. */
  operator(
    rideId: string,
    update: 'retryNow' | 'markResolved' | 'waiveFee' | 'adjustCharge',
    argument?: object,
  ): Promise<Payment>;
  /** The provider has said something. */
  news(rideId: string, type?: string): Promise<void>;
  /** Comes between the answer whether the ride goes on and its payment's hearing it. */
  whileAskingForRide: () => Promise<unknown>;
  /** What the ride was told by its payment. */
  heard(rideId: string): Promise<string[]>;
  /** How the payment ended. */
  result(rideId: string): Promise<PaymentStatus>;
  stop(): Promise<void>;
}

export async function startPaymentSaga(options: PaymentSagaOptions): Promise<PaymentSaga> {
  const { connection, nativeConnection, activities } = options;
  // A queue of its own: several sagas may run on one server.
  const taskQueue = `payments-${randomUUID()}`;
  const worker = await Worker.create({
    connection: nativeConnection,
    workflowBundle: testBundle(),
    taskQueue,
    activities: {
      ...activities,
      ...paymentMessages,
      async rideGoesOn(workflowId: string) {
        const answer = await paymentMessages.rideGoesOn(workflowId);
        await saga.whileAskingForRide();
        return answer;
      },
    },
  });
  const running = worker.run();
  const client = new Client({ connection });
  const handle = (rideId: string) => client.workflow.getHandle(paymentWorkflowId(rideId));
  const ride = (rideId: string) => client.workflow.getHandle(rideWorkflowId(rideId));
  const saga: PaymentSaga = {
    client,
    taskQueue,
    handle,
    ride,
    async open(changes = {}, policies = {}) {
      const order = paymentOrder(changes);
      const { rideId } = order;
      await client.workflow.start('listeningRide', { workflowId: rideWorkflowId(rideId), taskQueue });
      const start: PaymentStart = {
        order,
        // What is in doubt is said at once where a test does not say otherwise.
        policies: { ...standardPolicies, providerPatienceSeconds: 0, ...policies },
        rideWorkflowId: rideWorkflowId(rideId),
      };
      await client.workflow.start(workflowTypes.payment, {
        workflowId: paymentWorkflowId(rideId),
        taskQueue,
        args: [start],
      });
      return rideId;
    },
    rideEnded: (rideId, outcome) => handle(rideId).signal(paymentSignals.rideEnded, outcome),
    endRide: (rideId) => ride(rideId).signal('end'),
    tip: (rideId, amountMinor) =>
      handle(rideId).executeUpdate<{ tipMinor: number; currency: string }, [object]>(paymentUpdates.tip, {
        args: [{ amountMinor }],
      }),
    operator: (rideId, update, argument = {}) =>
      handle(rideId).executeUpdate<Payment, [object]>(paymentUpdates[update], {
        args: [{ by: 'operator-1', ...argument }],
      }),
    news: (rideId, type = 'payment_intent.amount_capturable_updated') =>
      handle(rideId).signal(providerNews, { eventId: `evt_${randomUUID()}`, type, objectId: `pi_${rideId}` }),
    refund: (rideId, order) =>
      handle(rideId).executeUpdate<Refund, [RefundOrder]>(paymentUpdates.refund, {
        args: [{ by: 'operator-1', ...order }],
      }),
    whileAskingForRide: () => Promise.resolve(),
    heard: (rideId) => ride(rideId).query<string[]>('heard'),
    result: (rideId) => handle(rideId).result() as Promise<PaymentStatus>,
    async stop() {
      worker.shutdown();
      await running;
    },
  };
  return saga;
}

/** The code of the refusal that an Update must end with. */
export async function refusalOf(update: Promise<unknown>): Promise<string | null | undefined> {
  const outcome = await update.then(
    (answer) => `answered ${JSON.stringify(answer)}`,
    (error: unknown) => error,
  );
  if (outcome instanceof WorkflowUpdateFailedError && outcome.cause instanceof ApplicationFailure)
    return outcome.cause.type;
  throw outcome instanceof Error ? outcome : new Error(String(outcome));
}
