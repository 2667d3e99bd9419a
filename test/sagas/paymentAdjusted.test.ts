import { randomUUID } from 'node:crypto';
import { standardPolicies } from '../../domain/policies';
import { getPayment } from '../../services/payments/books/paymentStore';
import { refusalOf } from '../support/paymentSaga';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';

jest.setTimeout(60_000);

let played: PlayedPayments;
let { pool, provider, saga, sleep, captured, untilStatus, resultAfterWindow, factTypes, rowAndFold, booked } =
  {} as PlayedPayments;

beforeAll(async () => {
  played = await startPlayedPayments();
  ({ pool, provider, saga, sleep, captured, untilStatus, resultAfterWindow, factTypes, rowAndFold, booked } =
    played);
});
beforeEach(() => provider.reset());
afterAll(() => played?.stop());

const adjust = (rideId: string, toMinor: number, adjustmentKey: string = randomUUID()) =>
  saga.operator(rideId, 'adjustCharge', { adjustmentKey, toMinor, reason: 'detour' });

const refundsOf = (rideId: string): string[] =>
  provider.asked(rideId).filter((what) => what.startsWith('refund'));

const isWhole = async (rideId: string): Promise<void> => {
  const [row, folded] = await rowAndFold(rideId);
  expect(row).toEqual(folded);
};

/** A ride that cost 15 dollars and was charged 5 more. */
async function chargedTwice(): Promise<string> {
  const rideId = await captured();
  await adjust(rideId, 2_000);
  return rideId;
}

describe('an adjustment', () => {
  test('upwards is a charge of its own, shared with the driver', async () => {
    const rideId = await captured();
    expect(await adjust(rideId, 2_000)).toMatchObject({ capturedMinor: 2_000, status: 'captured' });
    expect(provider.asked(rideId).at(-1)).toBe('extra 500');
    expect(await booked(rideId)).toEqual({
      ...{ provider_clearing: 2_000, 'driver_payable:driver-1': -1_600, platform_revenue: -400 },
    });
    expect(await resultAfterWindow(rideId)).toBe('captured');
    await isWhole(rideId);
  });

  test('downwards gives back of the newest charge first, in as many refunds as it takes', async () => {
    const rideId = await chargedTwice();
    expect(await adjust(rideId, 1_200)).toMatchObject({ refundedMinor: 800, status: 'partially_refunded' });
    expect(refundsOf(rideId)).toEqual(['refund 500', 'refund 300']);
    expect((await getPayment(pool, rideId))!.charges).toEqual([
      { intentId: `pi_${rideId}`, amountMinor: 1_500, refundedMinor: 300 },
      { intentId: `pi_extra_1_${rideId}`, amountMinor: 500, refundedMinor: 500 },
    ]);
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 1_200 });
    await isWhole(rideId);
  });

  test('is made once for each key, and another amount needs another key', async () => {
    const rideId = await captured();
    const key = 'adj-1';
    const both = await Promise.all([adjust(rideId, 1_000, key), adjust(rideId, 1_000, key)]);
    expect(both.map(({ refundedMinor }) => refundedMinor)).toEqual([500, 500]);
    expect(await adjust(rideId, 1_000, key)).toMatchObject({ refundedMinor: 500 });
    expect(await refusalOf(adjust(rideId, 900, key))).toBe('idempotency_key_reused');
    expect(refundsOf(rideId)).toEqual(['refund 500']);
  });

  test('to nothing and up again: what was given back is charged anew', async () => {
    const rideId = await captured();
    expect(await adjust(rideId, 0)).toMatchObject({ status: 'refunded' });
    expect(await adjust(rideId, 700)).toMatchObject({ capturedMinor: 2_200, refundedMinor: 1_500 });
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 700 });
    await isWhole(rideId);
  });

  test('that the card declines, or the provider refuses half way, can be asked for again', async () => {
    const rideId = await chargedTwice();
    provider.next('chargeExtra', () => Promise.resolve({ charged: false, reason: 'insufficient_funds' }));
    expect(await refusalOf(adjust(rideId, 3_000, 'up'))).toBe('adjust_not_possible');
    provider.next('refund', () => Promise.resolve({ refunded: true, refundId: 're_half' }));
    provider.next('refund', () => Promise.resolve({ refunded: false, reason: 'charge_disputed' }));
    expect(await refusalOf(adjust(rideId, 1_000, 'down'))).toBe('refund_not_possible');
    expect(await getPayment(pool, rideId)).toMatchObject({ refundedMinor: 500 });
    expect(await adjust(rideId, 1_000, 'down')).toMatchObject({ refundedMinor: 1_000 });
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 1_000 });
    await isWhole(rideId);
  });

  test.each([-1, 1.5, 200_000_001, '5'])('to %p is refused', async (toMinor) => {
    const rideId = await captured();
    expect(await refusalOf(adjust(rideId, toMinor as number))).toBe('argument_not_valid');
  });

  test('is refused where nothing was charged to a card, and when its time is over', async () => {
    const open = await saga.open();
    await untilStatus(open, 'authorized');
    expect(await refusalOf(adjust(open, 1_000))).toBe('adjust_not_possible');
    await saga.rideEnded(open, { amountMinor: 0, driverId: null });
    const rideId = await captured();
    await sleep(standardPolicies.refundWindowMs - 1_000);
    expect(await adjust(rideId, 1_400)).toMatchObject({ refundedMinor: 100 });
  });
});

test('the facts say which operator gave money back, or had more charged', async () => {
  const rideId = await captured();
  const change = async (update: 'adjustCharge' | 'waiveFee', argument: object): Promise<unknown> =>
    saga.operator(rideId, update, { reason: 'detour', ...argument });
  await change('adjustCharge', { adjustmentKey: 'one', toMinor: 1_800, by: 'operator-7' });
  await change('adjustCharge', { adjustmentKey: 'two', toMinor: 1_700, by: 'operator-8' });
  await saga.refund(rideId, { refundKey: 'three', amountMinor: 50, reason: 'detour', by: 'operator-9' });
  const { rows } = await pool.query<{ type: string; by: string }>(
    `select fact_type as type, fact -> 'data' ->> 'operatorId' as by from steps
     where aggregate_id = $1 and version > 3 order by version`,
    [rideId],
  );
  expect(rows).toEqual([
    { type: 'payment.extra_charged', by: 'operator-7' },
    { type: 'payment.refunded', by: 'operator-8' },
    { type: 'payment.refunded', by: 'operator-9' },
  ]);
});

describe('a refund over several charges', () => {
  const order = { refundKey: 'ops:1', amountMinor: 1_800, reason: 'accident' };

  test('is one for whoever asked, however often they ask', async () => {
    const rideId = await chargedTwice();
    const first = await saga.refund(rideId, order);
    expect(first).toEqual({
      refundId: 're_refund_ops_1_1',
      amountMinor: 1_800,
      refundedMinor: 1_800,
      currency: 'USD',
    });
    expect(await saga.refund(rideId, order)).toEqual(first);
    expect(refundsOf(rideId)).toEqual(['refund 500', 'refund 1300']);
    expect(await refusalOf(saga.refund(rideId, { ...order, refundKey: 'ops:2', amountMinor: 201 }))).toBe(
      'refund_not_possible',
    );
    await isWhole(rideId);
  });

  test('that was refused half way goes on where it was', async () => {
    const rideId = await chargedTwice();
    provider.next('refund', () => Promise.resolve({ refunded: true, refundId: 're_half' }));
    provider.next('refund', () => Promise.resolve({ refunded: false, reason: 'balance_insufficient' }));
    expect(await refusalOf(saga.refund(rideId, order))).toBe('refund_not_possible');
    expect(await saga.refund(rideId, order)).toMatchObject({ refundId: 're_half', refundedMinor: 1_800 });
    expect(refundsOf(rideId)).toEqual(['refund 500', 'refund 1300', 'refund 1300']);
    expect((await factTypes(rideId)).filter((type) => type === 'payment.refunded')).toHaveLength(2);
    await isWhole(rideId);
  });
});

describe('a fee', () => {
  const fee = { amountMinor: 500, driverId: 'driver-1', for: 'no_show_fee' } as const;
  const waiver = { reason: 'driver was early', by: 'operator-1' };

  async function feeTaken(): Promise<string> {
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    await saga.rideEnded(rideId, fee);
    await untilStatus(rideId, 'captured');
    return rideId;
  }

  test('that is waived goes back, once', async () => {
    const rideId = await feeTaken();
    expect(await saga.operator(rideId, 'waiveFee', waiver)).toMatchObject({
      status: 'refunded',
      refundedMinor: 500,
    });
    expect(await saga.operator(rideId, 'waiveFee', waiver)).toMatchObject({ refundedMinor: 500 });
    expect(refundsOf(rideId)).toEqual(['refund 500']);
    await isWhole(rideId);
  });

  test('that was charged again is waived again, whoever gave it up before', async () => {
    const rideId = await feeTaken();
    await saga.operator(rideId, 'waiveFee', waiver);
    await adjust(rideId, 400);
    const again = { reason: 'charged by mistake', by: 'operator-2' };
    expect(await saga.operator(rideId, 'waiveFee', again)).toMatchObject({ refundedMinor: 900 });
    expect(await saga.operator(rideId, 'waiveFee', again)).toMatchObject({ refundedMinor: 900 });
    expect(refundsOf(rideId)).toEqual(['refund 500', 'refund 400']);
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 0 });
    await isWhole(rideId);
  });

  test('asked for twice at once goes back once', async () => {
    const rideId = await feeTaken();
    const both = ['operator-1', 'operator-2'].map((by) =>
      saga.operator(rideId, 'waiveFee', { ...waiver, by }),
    );
    for (const after of await Promise.all(both)) expect(after).toMatchObject({ refundedMinor: 500 });
    expect(refundsOf(rideId)).toEqual(['refund 500']);
  });

  test('that cannot be given back is still one that can be waived', async () => {
    const rideId = await feeTaken();
    provider.next('refund', () => Promise.resolve({ refunded: false, reason: 'charge_disputed' }));
    expect(await refusalOf(saga.operator(rideId, 'waiveFee', waiver))).toBe('refund_not_possible');
    expect(await saga.operator(rideId, 'waiveFee', waiver)).toMatchObject({ status: 'refunded' });
  });

  test('is waived by somebody whose id facts take', async () => {
    const rideId = await feeTaken();
    const byMail = { ...waiver, by: 'jane@corp.com' };
    expect(await refusalOf(saga.operator(rideId, 'waiveFee', byMail))).toBe('argument_not_valid');
    expect(refundsOf(rideId)).toEqual([]);
  });

  test('is what is waived: a fare is refunded or adjusted', async () => {
    const rideId = await captured();
    expect(await refusalOf(saga.operator(rideId, 'waiveFee', waiver))).toBe('waive_not_possible');
  });
});
