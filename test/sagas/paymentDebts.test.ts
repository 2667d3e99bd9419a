import { ApplicationFailure } from '@temporalio/common';
import type { Charged } from '../../domain/paymentCalls';
import type { Payment } from '../../domain/payment';
import { standardPolicies } from '../../domain/policies';
import type { RideOutcome } from '../../domain/settlement';
import { getPayment } from '../../services/payments/books/paymentStore';
import { cardOf, isStuck } from '../support/card';
import { refusalOf } from '../support/paymentSaga';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { held } from '../support/playedProvider';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

let played: PlayedPayments;
let { pool, provider, saga, sleep, untilStatus, resultAfterWindow, factTypes, rowAndFold, booked } =
  {} as PlayedPayments;

beforeAll(async () => {
  played = await startPlayedPayments();
  ({ pool, provider, saga, sleep, untilStatus, resultAfterWindow, factTypes, rowAndFold, booked } = played);
});
beforeEach(() => provider.reset());
afterAll(() => played?.stop());

const ended = { amountMinor: 1_500, driverId: 'driver-1' };
const toTenDollars = { adjustmentKey: 'adj-1', toMinor: 1_000, reason: 'detour' };
const waiver = { reason: 'goodwill', by: 'operator-1' };
const declined = (): Promise<Charged> => Promise.resolve({ charged: false, reason: 'insufficient_funds' });
const gone = (): Promise<never> =>
  Promise.reject(ApplicationFailure.nonRetryable('hold pi_1 is canceled', 'hold_gone'));

/** A ride that has ended when its hold was gone. */
async function endedWithoutHold(outcome = ended): Promise<string> {
  const rideId = await saga.open();
  await untilStatus(rideId, 'authorized');
  provider.next('capture', gone);
  await saga.rideEnded(rideId, outcome);
  return rideId;
}

const untilParked = (rideId: string): Promise<true> =>
  eventually(async () => (await cardOf(saga.handle(rideId))).includes('Parked') || undefined);

/** One that nothing could be taken for, either. */
async function owed(outcome = ended): Promise<string> {
  provider.next('collect', declined);
  const rideId = await endedWithoutHold(outcome);
  await untilStatus(rideId, 'owed');
  await untilParked(rideId);
  return rideId;
}

const isWhole = async (rideId: string): Promise<void> => {
  const [row, folded] = await rowAndFold(rideId);
  expect(row).toEqual(folded);
};
const shares = { 'driver_payable:driver-1': -1_200, platform_revenue: -300 };

describe('a hold that is gone when it is captured', () => {
  test('is made up for by a charge, booked as the capture would have been', async () => {
    const rideId = await endedWithoutHold();
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500', 'charge 1500']);
    expect(await booked(rideId)).toEqual({ provider_clearing: 1_500, ...shares });
    await isWhole(rideId);
  });

  test('and a card that declines that leave a debt, and the driver has what is theirs', async () => {
    const rideId = await owed();
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'owed', owedMinor: 1_500 });
    expect(await booked(rideId)).toEqual({ rider_receivable: 1_500, ...shares });
    expect(await isStuck(saga.handle(rideId))).toBe(true);
    expect(await cardOf(saga.handle(rideId))).toContain('could not collect what is owed');
    await isWhole(rideId);
  });
});

describe('a debt', () => {
  test('is collected when an operator has it tried again, and only then', async () => {
    const rideId = await owed();
    provider.next('collect', declined);
    await saga.operator(rideId, 'retryNow');
    await eventually(() => Promise.resolve(provider.asked(rideId).length >= 4 || undefined));
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'owed' });
    await untilParked(rideId);
    await saga.operator(rideId, 'retryNow');
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(provider.asked(rideId).filter((what) => what === 'charge 1500')).toHaveLength(3);
    expect(await booked(rideId)).toEqual({ provider_clearing: 1_500, rider_receivable: 0, ...shares });
    expect(await factTypes(rideId)).toEqual([
      ...['payment.opened', 'payment.authorized', 'payment.charge_failed', 'payment.collected'],
    ]);
    await isWhole(rideId);
  });

  test('is waived by an operator, and the payment is over', async () => {
    const rideId = await owed();
    expect(await saga.operator(rideId, 'waiveFee', waiver)).toMatchObject({ status: 'waived', owedMinor: 0 });
    expect(await saga.result(rideId)).toBe('waived');
    expect(await booked(rideId)).toEqual({
      ...{ rider_receivable: 0, 'driver_payable:driver-1': -1_200, platform_revenue: 1_200 },
    });
    await isWhole(rideId);
  });

  test('takes no tip, and is lowered but not raised by an adjustment', async () => {
    const rideId = await owed();
    expect(await refusalOf(saga.tip(rideId, 200))).toBe('tip_not_possible');
    const more = { adjustmentKey: 'adj-2', toMinor: 2_000, reason: 'toll' };
    expect(await refusalOf(saga.operator(rideId, 'adjustCharge', more))).toBe('adjust_not_possible');
    expect(await saga.operator(rideId, 'adjustCharge', toTenDollars)).toMatchObject({ owedMinor: 1_000 });
    await saga.operator(rideId, 'retryNow');
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(provider.asked(rideId).at(-1)).toBe('charge 1000');
    await isWhole(rideId);
  });

  /** A charge for the debt that is under way while an operator's Update comes. */
  async function chargedLate(rideId: string): Promise<ReturnType<typeof held<Charged>>> {
    const answer = held<Charged>();
    provider.next('collect', () => answer.promise);
    await saga.operator(rideId, 'retryNow');
    await answer.asked;
    return answer;
  }
  const untilUpdates = (rideId: string, count: number): Promise<true> =>
    eventually(async () => {
      const { events } = await saga.handle(rideId).fetchHistory();
      const accepted = events?.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
      return accepted?.length === count || undefined;
    });

  test('that is given up while it is charged is charged: there is nothing to give up then', async () => {
    const rideId = await owed();
    const answer = await chargedLate(rideId);
    const waived = refusalOf(saga.operator(rideId, 'waiveFee', waiver));
    await untilUpdates(rideId, 2);
    answer.release({ charged: true, intentId: 'pi_late' });
    expect(await waived).toBe('waive_not_possible');
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(await booked(rideId)).toEqual({ provider_clearing: 1_500, rider_receivable: 0, ...shares });
    await isWhole(rideId);
  });

  test('that is lowered while it is charged is charged, and the difference given back', async () => {
    const rideId = await owed();
    const answer = await chargedLate(rideId);
    const adjusted = saga.operator(rideId, 'adjustCharge', toTenDollars);
    await untilUpdates(rideId, 2);
    answer.release({ charged: true, intentId: 'pi_late' });
    expect(await adjusted).toMatchObject({ capturedMinor: 1_500, refundedMinor: 500, owedMinor: 0 });
    expect(await resultAfterWindow(rideId)).toBe('partially_refunded');
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 1_000, rider_receivable: 0 });
    await isWhole(rideId);
  });

  test('is written off where an operator leaves it', async () => {
    const rideId = await owed();
    await saga.handle(rideId).executeUpdate('skipCompensation');
    expect(await saga.result(rideId)).toBe('waived');
    expect(await booked(rideId)).toMatchObject({ rider_receivable: 0 });
  });
});

describe('owed more than is held', () => {
  const more = { ...ended, amountMinor: 2_000 };
  const refund = { refundKey: 'ops:1', amountMinor: 300, reason: 'detour' };

  test('the hold is taken, and the rest charged', async () => {
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, more);
    expect(await resultAfterWindow(rideId)).toBe('captured');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'capture 1500', 'charge 500']);
    expect(await booked(rideId)).toEqual({
      ...{ provider_clearing: 2_000, rider_receivable: 0 },
      ...{ 'driver_payable:driver-1': -1_600, platform_revenue: -400 },
    });
    await isWhole(rideId);
  });

  /** The hold is taken, and the card does not give the rest. */
  async function takenInPart(outcome: RideOutcome = more): Promise<string> {
    provider.next('collect', declined);
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, outcome);
    await untilParked(rideId);
    return rideId;
  }

  test('what the card does not give is owed, and can be waived while the rest is tipped and refunded', async () => {
    const rideId = await takenInPart();
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'captured', owedMinor: 500 });
    expect(await saga.tip(rideId, 100)).toMatchObject({ tipMinor: 100 });
    expect(await saga.refund(rideId, refund)).toMatchObject({ refundedMinor: 300 });
    const waived = await saga.operator(rideId, 'waiveFee', waiver);
    expect(waived).toMatchObject({ owedMinor: 0, status: 'partially_refunded' });
    expect(await resultAfterWindow(rideId)).toBe('partially_refunded');
    await isWhole(rideId);
  });

  /** For longer than all else has its time. */
  async function owedForLong(outcome?: RideOutcome): Promise<string> {
    const rideId = await takenInPart(outcome);
    await sleep(standardPolicies.refundWindowMs + 1_000);
    return rideId;
  }

  test('what is owed stays a debt for as long as it takes, and so long all can be given back; tips have their time', async () => {
    const rideId = await owedForLong();
    expect(await refusalOf(saga.tip(rideId, 100))).toBe('tip_not_possible');
    expect(await saga.refund(rideId, refund)).toMatchObject({ refundedMinor: 300 });
    await saga.operator(rideId, 'retryNow');
    await eventually(async () => (await getPayment(pool, rideId))?.owedMinor === 0 || undefined);
    expect(await refusalOf(saga.tip(rideId, 100))).toBe('tip_not_possible');
    expect(await saga.refund(rideId, { ...refund, refundKey: 'ops:2' })).toMatchObject({
      refundedMinor: 600,
    });
    expect(await resultAfterWindow(rideId)).toBe('partially_refunded');
    await isWhole(rideId);
  });

  test('a late adjustment gives up the debt and gives back what was taken, or does nothing and can be asked for again', async () => {
    const rideId = await owedForLong();
    provider.next('refund', () => Promise.resolve({ refunded: false, reason: 'charge_disputed' }));
    const adjust = (): Promise<Payment> => saga.operator(rideId, 'adjustCharge', toTenDollars);
    expect(await refusalOf(adjust())).toBe('refund_not_possible');
    expect(await getPayment(pool, rideId)).toMatchObject({ refundedMinor: 0, owedMinor: 500 });
    expect(await adjust()).toMatchObject({ capturedMinor: 1_500, refundedMinor: 500, owedMinor: 0 });
    expect(await saga.result(rideId)).toBe('partially_refunded');
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 1_000, rider_receivable: 0 });
    await isWhole(rideId);
  });

  test('and so is a fee that was taken in part waived late, or nothing of it', async () => {
    const rideId = await owedForLong({ ...more, for: 'no_show_fee' });
    provider.next('refund', () => Promise.resolve({ refunded: false, reason: 'charge_disputed' }));
    expect(await refusalOf(saga.operator(rideId, 'waiveFee', waiver))).toBe('refund_not_possible');
    expect(await getPayment(pool, rideId)).toMatchObject({ refundedMinor: 0, owedMinor: 500 });
    expect(await saga.operator(rideId, 'waiveFee', waiver)).toMatchObject({
      status: 'refunded',
      owedMinor: 0,
    });
    expect(await saga.result(rideId)).toBe('refunded');
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 0, rider_receivable: 0 });
    await isWhole(rideId);
  });
});
