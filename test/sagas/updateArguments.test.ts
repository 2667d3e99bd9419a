import type { WorkflowHandle } from '@temporalio/client';
import { v7 as uuidv7 } from 'uuid';
import { paymentWorkflowId, rideWorkflowId, type paymentUpdates, type rideUpdates } from '../../domain/names';
import { badArguments, freeText, type GoodArguments } from '../support/badArguments';
import { refusalOf } from '../support/paymentSaga';
import { startRideSaga, type RideSaga } from '../support/rideSaga';

jest.setTimeout(60_000);

let saga: RideSaga;
let rideId: string;
let waitingId: string;

beforeAll(async () => {
  saga = await startRideSaga();
  rideId = await saga.request();
  await saga.untilPayment(rideId, 'authorized');
  waitingId = await saga.schedule(24 * 60 * 60_000);
}, 60_000);
afterAll(() => saga?.stop());

const driver = { driverId: 'driver-1' };
const changeId = uuidv7();
const reason = freeText;

const ofRides: Omit<GoodArguments<typeof rideUpdates>, 'reschedule'> = {
  request: null,
  offerAccepted: { ...driver, offerId: uuidv7() },
  arrive: driver,
  start: driver,
  reachStop: { ...driver, stop: 1 },
  proposeRoute: { change: { changeId } },
  withdrawRoute: { changeId },
  acceptRoute: { ...driver, changeId },
  declineRoute: { ...driver, changeId },
  complete: driver,
  endEarly: { by: 'operator', reason },
  reportNoShow: driver,
  unassign: { ...driver, reason },
  cancel: { by: 'operator', reason },
  reassign: { ...driver, reason },
  forceComplete: { reason },
  adjustFare: { totalMinor: 900, reason },
};

const by = 'operator-1';
const ofPayments: GoodArguments<typeof paymentUpdates> = {
  tip: { amountMinor: 300 },
  refund: { refundKey: 'key-1', amountMinor: 300, reason, by },
  raiseHold: { changeId, toMinor: 2_000 },
  retryNow: null,
  markResolved: { outcome: 'happened', evidence: freeText, by },
  waiveFee: { reason, by },
  adjustCharge: { adjustmentKey: 'key-1', toMinor: 300, reason, by },
};

/** What is wrong beside what is missing. */
const more: Readonly<Record<string, readonly object[]>> = {
  tip: [{ amountMinor: -1 }, { amountMinor: 1.5 }, { amountMinor: 2 ** 53 }],
  refund: [{ amountMinor: 1.5 }, { by: 'jane@corp.com' }],
  raiseHold: [{ changeId: 'by hand' }],
  markResolved: [{ by: 'auth0|7' }, { objectId: 'a charge' }, { objectId: '4242424242424242' }],
  waiveFee: [{ by: 'jane@corp.com' }],
  adjustCharge: [{ by: 'jane@corp.com' }, { toMinor: -1 }],
  arrive: [{ by: 'operator', reason: '4242424242424242' }],
  start: [{ by: 'operator', reason: '4242424242424242' }],
  withdrawRoute: [{ reason: '4242424242424242' }],
  declineRoute: [{ reason: '4242424242424242' }],
};

type Named = readonly [name: string, good: object];
const taking = (all: Readonly<Record<string, object | null>>): Named[] =>
  Object.entries(all).flatMap(([name, good]) => (good === null ? [] : [[name, good] as const]));

/** Each is refused for what it is, before anything is in the history. */
async function refusesAllBad(workflow: WorkflowHandle, [name, good]: Named): Promise<void> {
  const wrong = (more[name] ?? []).map((part) => [JSON.stringify(part), { ...good, ...part }] as const);
  const accepted = async () =>
    (await workflow.fetchHistory()).events?.filter(
      (event) => event.workflowExecutionUpdateAcceptedEventAttributes,
    ).length;
  const before = await accepted();
  const said: Record<string, unknown> = {};
  for (const [how, argument] of [...badArguments(good), ...wrong])
    said[how] = await refusalOf(workflow.executeUpdate(name, { args: [argument] }));
  expect(said).toEqual(Object.fromEntries(Object.keys(said).map((how) => [how, 'argument_not_valid'])));
  expect(await accepted()).toBe(before);
}

test.each(taking(ofRides))('the Update %s of a ride says what it takes', (...update) =>
  refusesAllBad(saga.client.workflow.getHandle(rideWorkflowId(rideId)), update),
);

test.each(taking(ofPayments))('the Update %s of a payment says what it takes', (...update) =>
  refusesAllBad(saga.client.workflow.getHandle(paymentWorkflowId(rideId)), update),
);

test.each(taking({ reschedule: { request: {} }, cancel: ofRides.cancel }))(
  'the Update %s of a ride that waits says what it takes',
  (...update) => refusesAllBad(saga.waiting(waitingId), update),
);
