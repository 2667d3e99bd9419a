import { Client, Connection } from '@temporalio/client';
import { v7 as uuidv7 } from 'uuid';
import {
  paymentSignals,
  paymentWorkflowId,
  rideWorkflowId,
  taskQueues,
  workflowTypes,
} from '../../../domain/names';
import { standardPolicies } from '../../../domain/policies';
import type { PaymentStart } from '../../../domain/sagas';
import type { RideOutcome } from '../../../domain/settlement';
import type { House } from '../ride/house';
import { createWatch } from '../ride/watch';

/** After the capture a payment is open for tips and refunds; a bench does not wait for those. */
const WINDOW_MS = 1_000;
const heldMinor = 1_850;
const outcome: RideOutcome = {
  amountMinor: 1_500,
  driverId: 'bench-driver',
  for: 'fare',
  taxMinor: 120,
  tollMinor: 0,
};

/** Plays the rides that payments belong to: what they say and when, and nothing else of them. */
export interface Cashier {
  /** A payment from its start over its hold to its capture. @returns its id */
  pay(): Promise<string>;
  /** When its workflow has ended. */
  ended(paymentId: string): Promise<void>;
  stop(): Promise<void>;
}

export async function createCashier(house: House, temporalAddress: string): Promise<Cashier> {
  const connection = await Connection.connect({ address: temporalAddress });
  const client = new Client({ connection, namespace: house.namespace });
  const watch = createWatch(house);
  const handle = (paymentId: string) => client.workflow.getHandle(paymentWorkflowId(paymentId));
  return {
    async pay() {
      const rideId = uuidv7();
      const start: PaymentStart = {
        order: {
          rideId,
          riderId: 'bench-rider',
          method: { type: 'card', token: 'pm_card_visa' },
          amountMinor: heldMinor,
          currency: 'USD',
        },
        policies: { ...standardPolicies, tipWindowMs: WINDOW_MS, refundWindowMs: WINDOW_MS },
        // Nobody by that name: telling it costs what it costs, and changes nothing.
        rideWorkflowId: rideWorkflowId(rideId),
      };
      await client.workflow.start(workflowTypes.payment, {
        workflowId: paymentWorkflowId(rideId),
        taskQueue: taskQueues.payments,
        args: [start],
      });
      await watch.authorized(rideId);
      await handle(rideId).signal(paymentSignals.rideEnded, outcome);
      await watch.captured(rideId);
      return rideId;
    },
    ended: async (paymentId) => void (await handle(paymentId).result()),
    async stop() {
      await watch.stop();
      await connection.close();
    },
  };
}
