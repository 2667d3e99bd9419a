import { ApplicationFailure, getClient } from '@temporalio/activity';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { money } from '../domain/money';
import {
  paymentSignals,
  paymentUpdates,
  paymentWorkflowId,
  rideSignals,
  rideWorkflowId,
  searchAttributes,
  taskQueues,
  workflowTypes,
} from '../domain/names';
import type { HoldRaise, Raised } from '../domain/paymentCalls';
import { paymentInOrder } from '../domain/paymentNeeds';
import type { Authorization, PaymentStart } from '../domain/sagas';
import type { RideOutcome } from '../domain/settlement';
import { startOnce } from '../platform/startOnce';

/**
 * Messages from one saga to another, sent by activities with the worker's own client. A child or a signal of the
 * workflow's own would be two events and a workflow task of the sender for each; a local activity is one marker. It
 * takes effect before the history knows of it, so each may be sent twice, and does no harm then.
 */
export type RideMessages = {
  /** Starts the ride's payment, once. */
  startPayment(start: PaymentStart): Promise<void>;
  /**
   * The ride's last word. A payment that never began, or has ended by itself after a decline, holds nothing to release.
   * @throws ApplicationFailure `payment_gone`, not retryable, where something is owed and nobody is there to charge it
   */
  tellPayment(message: { rideId: string; outcome: RideOutcome }): Promise<void>;
  /** Has the payment secure more, and answers once that is decided: the same change is the same raise. */
  askToRaiseHold(message: HoldRaise & { rideId: string }): Promise<Raised>;
  /** The hold gets old and the ride goes on. A payment that is over needs no telling. */
  tellHoldAges(message: { rideId: string }): Promise<void>;
  /** The driver whom this ride has reserved is free. A ride that is over needs no telling. */
  tellDriverFree(message: { rideId: string }): Promise<void>;
};

export type PaymentMessages = {
  /** What became of the authorization. A ride that is gone needs no telling. */
  tellRide(message: { rideWorkflowId: string; authorization: Authorization }): Promise<void>;
  /** Whether a ride's workflow runs: one that does not has said its last word, or never will. */
  rideGoesOn(rideWorkflowId: string): Promise<boolean>;
};

export const rideMessages: RideMessages = {
  async startPayment(start) {
    const { rideId, amountMinor, currency, method } = start.order;
    await startOnce(getClient(), workflowTypes.payment, {
      workflowId: paymentWorkflowId(rideId),
      staticSummary: `${money(amountMinor, currency)}, ${method.type}`,
      typedSearchAttributes: [{ key: searchAttributes.status, value: paymentInOrder }],
      taskQueue: taskQueues.payments,
      args: [start],
    });
  },
  async tellPayment({ rideId, outcome }) {
    const told = await signal(paymentWorkflowId(rideId), paymentSignals.rideEnded, outcome);
    if (!told && outcome.amountMinor > 0)
      throw ApplicationFailure.nonRetryable('The payment that should be charged is gone.', 'payment_gone');
  },
  async tellHoldAges({ rideId }) {
    await signal(paymentWorkflowId(rideId), paymentSignals.holdAges);
  },
  async tellDriverFree({ rideId }) {
    await signal(rideWorkflowId(rideId), rideSignals.driverFree);
  },
  async askToRaiseHold({ rideId, ...raise }) {
    try {
      return await getClient()
        .workflow.getHandle(paymentWorkflowId(rideId))
        .executeUpdate<Raised, [HoldRaise]>(paymentUpdates.raiseHold, {
          updateId: raise.changeId,
          args: [raise],
        });
    } catch (error) {
      // Over, or ended before it could answer: nothing can be secured any more.
      if (error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError)
        return { raised: false, reason: 'payment_over' };
      throw error;
    }
  },
};

export const paymentMessages: PaymentMessages = {
  async tellRide({ rideWorkflowId, authorization }) {
    if (authorization.authorized)
      await signal(
        rideWorkflowId,
        rideSignals.paymentAuthorized,
        ...(authorization.method ? [{ method: authorization.method }] : []),
      );
    else await signal(rideWorkflowId, rideSignals.paymentDeclined, { reason: authorization.reason });
  },
  async rideGoesOn(rideWorkflowId) {
    try {
      const { status } = await getClient().workflow.getHandle(rideWorkflowId).describe();
      return status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  },
};

/** @returns whether there was somebody to hear it */
async function signal(workflowId: string, name: string, ...args: object[]): Promise<boolean> {
  try {
    await getClient()
      .workflow.getHandle(workflowId)
      .signal(name, ...args);
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
