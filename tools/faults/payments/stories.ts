import type { WorkflowHandle } from '@temporalio/client';
import { v7 as uuidv7 } from 'uuid';
import {
  paymentSignals,
  paymentUpdates,
  paymentWorkflowId,
  payoutWorkflowId,
  rideWorkflowId,
  taskQueues,
  workflowTypes,
} from '../../../domain/names';
import type { PaymentStatus } from '../../../domain/payment';
import type { PaymentOrder } from '../../../domain/paymentFacts';
import { standardPolicies } from '../../../domain/policies';
import type { PaymentMethod } from '../../../domain/ride';
import type { PaymentStart, PayoutDue, PayoutStart } from '../../../domain/sagas';
import type { RideOutcome } from '../../../domain/settlement';
import { wait } from '../../../platform/wait';
import { changePayoutAccount } from '../../../services/payments/books/payoutAccounts';
import { getPayout, owedTo, payoutIdOf } from '../../../services/payments/books/payoutStore';
import { getPayment } from '../../../services/payments/books/paymentStore';
import type { Call } from './cells';
import type { House } from './house';
import { judgePayment, judgePayout } from './judge';

/** Does what the worker does not live through. */
export type Dying = <T>(act: () => Promise<T>) => Promise<T>;

/** Money on its way, up to its end; `dying` goes around the call that the story is about. @returns what is wrong then */
export type Story = (house: House, dying: Dying) => Promise<string[]>;

const HELD_MINOR = 1_500;
const RAISED_MINOR = 2_000;
const REFUND_MINOR = 400;
/** A task that was lost with its worker is given to another after this long; the server's own is 10 s. */
const TASK_TIMEOUT = '3s';
const STATUS_DEADLINE_MS = 90_000;
/** Until then a transfer is refused; one that is quicker than its worker dies waits for it. */
const FUNDS_COME_AFTER_MS = 1_000;
/** What the provider has for us is one balance a currency: this one has money of this story alone. */
const ownCurrency = 'SEK';

const card: PaymentMethod = { type: 'card', token: 'pm_card_visa' };
const declined: PaymentMethod = { type: 'card', token: 'pm_card_chargeCustomerFail' };

export const stories: Readonly<Record<Call, Story>> = {
  async authorize(house, dying) {
    const rideId = await dying(() => opened(house));
    await captured(house, rideId, HELD_MINOR);
    return judgePayment(house, { rideId, status: 'captured', paidMinor: HELD_MINOR });
  },
  async increment(house, dying) {
    const rideId = await opened(house);
    const raise = { changeId: uuidv7(), toMinor: RAISED_MINOR };
    await dying(() => handleOf(house, rideId).executeUpdate(paymentUpdates.raiseHold, { args: [raise] }));
    await captured(house, rideId, RAISED_MINOR);
    return judgePayment(house, { rideId, status: 'captured', paidMinor: RAISED_MINOR });
  },
  async capture(house, dying) {
    const rideId = await opened(house);
    await dying(() => captured(house, rideId, HELD_MINOR));
    return judgePayment(house, { rideId, status: 'captured', paidMinor: HELD_MINOR });
  },
  async void(house, dying) {
    return voided(house, await opened(house), dying);
  },
  async voidOfRaised(house, dying) {
    const rideId = await opened(house);
    const raise = { changeId: uuidv7(), toMinor: RAISED_MINOR };
    await handleOf(house, rideId).executeUpdate(paymentUpdates.raiseHold, { args: [raise] });
    return voided(house, rideId, dying);
  },
  async voidOfTwo(house, dying) {
    // The first one holds nothing, but it is not over before it is released.
    return voided(house, await opened(house, { method: declined, fallbacks: [card] }), dying);
  },
  async refund(house, dying) {
    const rideId = await opened(house);
    await captured(house, rideId, HELD_MINOR);
    const order = { refundKey: 'ops:1', amountMinor: REFUND_MINOR, reason: 'detour', by: 'operator-1' };
    await dying(() => handleOf(house, rideId).executeUpdate(paymentUpdates.refund, { args: [order] }));
    const paidMinor = HELD_MINOR - REFUND_MINOR;
    return judgePayment(house, { rideId, status: 'partially_refunded', paidMinor });
  },
  async refundOfTwo(house, dying) {
    const rideId = await opened(house);
    // More than is held: the rest is a charge of its own, and goes back first.
    await captured(house, rideId, RAISED_MINOR);
    await until('0', async () => String((await getPayment(house.pool, rideId))?.owedMinor));
    const amountMinor = RAISED_MINOR - HELD_MINOR + REFUND_MINOR;
    const order = { refundKey: 'ops:1', amountMinor, reason: 'detour', by: 'operator-1' };
    await dying(() => handleOf(house, rideId).executeUpdate(paymentUpdates.refund, { args: [order] }));
    const paidMinor = RAISED_MINOR - amountMinor;
    return judgePayment(house, { rideId, status: 'partially_refunded', paidMinor, charges: 2 });
  },
  async transfer(house, dying) {
    const driverId = await driverWithAccount(house);
    await captured(house, await opened(house), HELD_MINOR, driverId);
    const amountMinor = (await owedTo(house.pool, driverId)).get('USD') ?? 0;
    const payoutId = await dying(() => paidOut(house, { driverId, currency: 'USD', period: '2026-W09' }));
    return judgePayout(house, { payoutId, driverId, amountMinor });
  },
  async transferShortOfFunds(house, dying) {
    const driverId = await driverWithAccount(house);
    const rideId = await opened(house, { currency: ownCurrency });
    await captured(house, rideId, HELD_MINOR, driverId);
    const amountMinor = (await owedTo(house.pool, driverId)).get(ownCurrency) ?? 0;
    // Given back at the platform's cost: what the provider has for us does not reach for the driver.
    const order = { refundKey: 'ops:1', amountMinor: HELD_MINOR, reason: 'detour', by: 'operator-1' };
    await handleOf(house, rideId).executeUpdate(paymentUpdates.refund, { args: [order] });
    const payoutId = await dying(async () => {
      const [paid] = await Promise.all([
        paidOut(house, { driverId, currency: ownCurrency, period: '2026-W09' }),
        wait(FUNDS_COME_AFTER_MS).then(() => payIn(house, amountMinor, ownCurrency)),
      ]);
      return paid;
    });
    return judgePayout(house, { payoutId, driverId, amountMinor });
  },
};

/** A driver of their own, who can be paid out. */
async function driverWithAccount({ pool }: House): Promise<string> {
  const driverId = `driver-${uuidv7()}`;
  await changePayoutAccount(pool, { driverId, destination: 'acct_faults', at: new Date().toISOString() });
  return driverId;
}

/** A payment of which nothing is owed. */
async function voided(house: House, rideId: string, dying: Dying): Promise<string[]> {
  await dying(async () => {
    await rideEnds(house, rideId, { amountMinor: 0, driverId: null });
    await untilStatus(house, rideId, 'voided');
  });
  return judgePayment(house, { rideId, status: 'voided', paidMinor: 0 });
}

/** The house pays money in at the provider. */
async function payIn({ providerUrl }: House, amount: number, currency: string): Promise<void> {
  const body = JSON.stringify({ amount, currency });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${providerUrl}/sandbox/funds`, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(`the provider takes no money: ${answer.status}`);
}

/** A payout that has reached its driver. @returns its id */
async function paidOut({ client, pool }: House, due: PayoutDue): Promise<string> {
  const payoutId = payoutIdOf(due);
  const start: PayoutStart = { payoutId, policies: standardPolicies, due };
  await client.workflow.start(workflowTypes.payout, {
    workflowId: payoutWorkflowId(payoutId),
    taskQueue: taskQueues.payments,
    workflowTaskTimeout: TASK_TIMEOUT,
    args: [start],
  });
  await until('paid', async () => (await getPayout(pool, payoutId))?.status);
  return payoutId;
}

/** A payment whose hold stands. */
async function opened(house: House, changes: Partial<PaymentOrder> = {}): Promise<string> {
  const rideId = uuidv7();
  const order: PaymentOrder = {
    ...{ rideId, riderId: 'rider-1', method: card, amountMinor: HELD_MINOR, currency: 'USD' },
    ...changes,
  };
  const start: PaymentStart = { order, policies: standardPolicies, rideWorkflowId: rideWorkflowId(rideId) };
  await house.client.workflow.start(workflowTypes.payment, {
    workflowId: paymentWorkflowId(rideId),
    taskQueue: taskQueues.payments,
    workflowTaskTimeout: TASK_TIMEOUT,
    args: [start],
  });
  await untilStatus(house, rideId, 'authorized');
  return rideId;
}

async function captured(
  house: House,
  rideId: string,
  amountMinor: number,
  driverId = 'driver-1',
): Promise<void> {
  await rideEnds(house, rideId, { amountMinor, driverId });
  await untilStatus(house, rideId, 'captured');
}

const rideEnds = (house: House, rideId: string, outcome: RideOutcome): Promise<void> =>
  handleOf(house, rideId).signal(paymentSignals.rideEnded, outcome);

const handleOf = (house: House, rideId: string): WorkflowHandle =>
  house.client.workflow.getHandle(paymentWorkflowId(rideId));

const untilStatus = ({ pool }: House, rideId: string, status: PaymentStatus): Promise<void> =>
  until(status, async () => (await getPayment(pool, rideId))?.status);

async function until(wanted: string, read: () => Promise<string | undefined>): Promise<void> {
  for (const deadline = Date.now() + STATUS_DEADLINE_MS; ; await wait(50)) {
    const status = await read();
    if (status === wanted) return;
    if (Date.now() > deadline) throw new Error(`it is ${status ?? 'not begun'}, not ${wanted}`);
  }
}
