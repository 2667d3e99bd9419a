import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type { ProviderEvent } from '../../contracts/api/providerEvents';
import { paymentWorkflowId, providerNews } from '../../domain/names';
import type { Payment } from '../../domain/payment';
import { standardPolicies } from '../../domain/policies';
import type { Listening } from '../../platform/http';
import type { Pool } from '../../platform/postgres';
import { storeIntentId } from '../../services/payments/books/paymentStore';
import { createTellNews } from '../../services/payments/news/tellNews';
import { eventTaken, keptEvent, openEventDoor, postEvent } from '../support/eventDoor';
import { paymentOrder, paymentsDatabase } from '../support/payments';
import { providerEvent } from '../support/providerEvents';
import { temporalAddress } from '../support/servers';

/** Whom the provider's events are told to. */

jest.setTimeout(60_000);

let pool: Pool;
let temporal: Client;
let door: Listening;

beforeAll(async () => {
  pool = await paymentsDatabase();
  temporal = new Client({ connection: Connection.lazy({ address: temporalAddress() }) });
  const tell = createTellNews({ pool, temporal, policies: standardPolicies, deadlineMs: 5_000 });
  door = await openEventDoor({ pool, tell });
});
afterAll(async () => {
  await door?.close();
  await temporal?.connection.close();
  await pool?.end();
});

/** A payment's row, and a workflow of its name that nobody carries: what it was told is in its history. */
async function paymentThatIs(status: Payment['status'], intentId = 'pi_1'): Promise<string> {
  const { rideId } = paymentOrder();
  await pool.query('insert into payments (payment_id, version, state) values ($1, 1, $2)', [
    rideId,
    JSON.stringify({ rideId, version: 1, status, intentId }),
  ]);
  await temporal.workflow.start('nobodys', {
    workflowId: paymentWorkflowId(rideId),
    taskQueue: `nobodys-${rideId}`,
  });
  return rideId;
}

const heard = async (workflowId: string): Promise<unknown[]> => {
  const { events = [] } = await temporal.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
    signal?.signalName === providerNews
      ? [JSON.parse(Buffer.from(signal.input!.payloads![0]!.data!).toString()) as unknown]
      : [],
  );
};

const post = (event: ProviderEvent) => postEvent(door, JSON.stringify(event));

test.each<[Payment['status'], string, boolean]>([
  ['action_required', 'payment_intent.amount_capturable_updated', true],
  ['action_required', 'payment_intent.payment_failed', true],
  ['unresolved', 'payment_intent.succeeded', true],
  ['unresolved', 'refund.created', true],
  ['authorized', 'payment_intent.canceled', true],
  ['captured', 'refund.failed', true],
  ['authorizing', 'payment_intent.amount_capturable_updated', false],
  ['authorized', 'payment_intent.amount_capturable_updated', false],
  ['captured', 'payment_intent.succeeded', false],
  ['voided', 'payment_intent.canceled', false],
])('a payment that is %s hears of %s: %s', async (status, type, isTold) => {
  const rideId = await paymentThatIs(status);
  const object = type.startsWith('refund.')
    ? { id: 're_1', payment_intent: 'pi_1', metadata: { rideId } }
    : { id: 'pi_1', metadata: { rideId } };
  const event = providerEvent(type, { object });
  expect(await post(event)).toMatchObject(eventTaken);
  const workflowId = paymentWorkflowId(rideId);
  expect(await heard(workflowId)).toEqual(isTold ? [{ eventId: event.id, type, objectId: object.id }] : []);
  expect(await keptEvent(pool, event.id)).toMatchObject({ isTold: true, toldTo: isTold ? workflowId : null });
  await temporal.workflow.getHandle(workflowId).terminate();
});

test('nobody where the payment is over, or there is none', async () => {
  const rideId = await paymentThatIs('unresolved');
  await temporal.workflow.getHandle(paymentWorkflowId(rideId)).terminate();
  for (const metadata of [{ rideId }, { rideId: randomUUID() }, {}]) {
    const event = providerEvent('payment_intent.succeeded', { object: { metadata } });
    expect(await post(event)).toMatchObject(eventTaken);
    expect(await keptEvent(pool, event.id)).toMatchObject({ isTold: true, toldTo: null });
  }
});

test('news of a dispute or a payout begins its workflow', async () => {
  const payoutId = randomUUID();
  const disputeId = `du_${randomUUID().slice(0, 8)}`;
  const intentId = `pi_${randomUUID().slice(0, 8)}`;
  const ref = { paymentId: randomUUID(), purpose: 'hold', intentVersion: 1 } as const;
  await storeIntentId(pool, ref, intentId);
  const dispute = providerEvent('charge.dispute.created', {
    object: { id: disputeId, payment_intent: intentId },
  });
  const transfer = providerEvent('transfer.reversed', { object: { id: 'tr_1', metadata: { payoutId } } });
  for (const event of [dispute, transfer]) {
    expect(await post(event)).toMatchObject(eventTaken);
  }
  for (const [workflowId, event] of [
    [`dispute-${disputeId}`, dispute],
    [`payout-${payoutId}`, transfer],
  ] as const) {
    const { id: eventId, type } = event;
    expect(await heard(workflowId)).toEqual([{ eventId, type, objectId: event.data.object.id }]);
    await temporal.workflow.getHandle(workflowId).terminate();
  }
});
