import type { Charged } from '../../domain/paymentCalls';
import { getPayment } from '../../services/payments/books/paymentStore';
import type { ProviderActivities } from '../../activities/payments';
import { refusalOf } from '../support/paymentSaga';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { held } from '../support/playedProvider';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

let played: PlayedPayments;
let { pool, provider, saga, sleep, untilStatus, untilHeard, untilAsked, factTypes, rowAndFold, booked } =
  {} as PlayedPayments;

beforeAll(async () => {
  played = await startPlayedPayments();
  ({ pool, provider, saga, sleep, untilStatus, untilHeard, untilAsked, factTypes, rowAndFold, booked } =
    played);
});
beforeEach(() => provider.reset());
afterAll(() => played?.stop());

const lost = (): Promise<never> => Promise.reject(new Error('socket hang up'));
const loses = (call: keyof ProviderActivities, times = 30): void => {
  for (let i = 0; i < times; i += 1) provider.next(call, lost);
};
const ended = { amountMinor: 1_500, driverId: 'driver-1' };
const word = { evidence: 'the provider’s dashboard', by: 'operator-1' };

/** A capture of which nobody knows what became of it. */
async function captureInDoubt(): Promise<string> {
  const rideId = await saga.open();
  await untilStatus(rideId, 'authorized');
  loses('capture');
  await saga.rideEnded(rideId, ended);
  await untilInDoubt(rideId);
  return rideId;
}

/**
 * Waits until the payment is unresolved and its call waits for the next try. Not while a try is under way: the
 * time-skipping server never ends a workflow's task that cancels a call which ends meanwhile.
 */
async function untilInDoubt(rideId: string): Promise<void> {
  await untilStatus(rideId, 'unresolved');
  await eventually(async () => {
    const { raw } = await saga.handle(rideId).describe();
    return raw.pendingActivities?.some(({ attempt }) => (attempt ?? 1) > 1) || undefined;
  });
}

const wayOf = (call: string): string[] => [
  ...['payment.opened', 'payment.authorized'],
  ...['payment.unresolved', 'payment.resolved', `payment.${call}`],
];

describe('an outcome that nobody knows', () => {
  test('of an authorization is said, and resolves itself when the provider answers', async () => {
    loses('authorize', 3);
    const rideId = await saga.open();
    const { unresolved } = await untilStatus(rideId, 'unresolved');
    expect(unresolved).toMatchObject({ call: 'authorize', from: 'authorizing' });
    expect(await saga.heard(rideId)).toEqual([]);
    await sleep('2 minutes');
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized']);
    expect(await factTypes(rideId)).toEqual([
      ...['payment.opened', 'payment.unresolved', 'payment.resolved', 'payment.authorized'],
    ]);
    const [row, folded] = await rowAndFold(rideId);
    expect(row).toEqual(folded);
  });

  test('is not said of one call that failed: the next one may know', async () => {
    loses('authorize', 1);
    const rideId = await saga.open();
    await untilHeard(rideId);
    expect(await factTypes(rideId)).toEqual(['payment.opened', 'payment.authorized']);
  });

  test('of a release is said, too', async () => {
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    loses('voidHold', 8);
    await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
    await sleep('1 minutes');
    expect(await saga.result(rideId)).toBe('voided');
    expect(await factTypes(rideId)).toEqual(wayOf('voided'));
  });

  test('of an authorization whose ride is cancelled meanwhile: what may be held is released', async () => {
    loses('authorize');
    const rideId = await saga.open();
    await untilInDoubt(rideId);
    await saga.handle(rideId).cancel();
    await expect(saga.result(rideId)).rejects.toThrow();
    expect(provider.asked(rideId).at(-1)).toBe('void');
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'voided', unresolved: null });
    const [row, folded] = await rowAndFold(rideId);
    expect(row).toEqual(folded);
  });

  test('of a refund lets nothing else happen to the payment until it is known', async () => {
    const rideId = await played.captured();
    loses('refund', 8);
    const refund = saga.refund(rideId, { refundKey: 'ops:1', amountMinor: 500, reason: 'detour' });
    await untilStatus(rideId, 'unresolved');
    const tip = saga.tip(rideId, 200);
    const second = saga.refund(rideId, { refundKey: 'ops:2', amountMinor: 100, reason: 'detour' });
    await sleep('2 minutes');
    expect(await refund).toMatchObject({ amountMinor: 500 });
    expect(await tip).toMatchObject({ tipMinor: 200 });
    expect(await second).toMatchObject({ amountMinor: 100 });
    expect(await getPayment(pool, rideId)).toMatchObject({ refundedMinor: 600, tipMinor: 200 });
    const [row, folded] = await rowAndFold(rideId);
    expect(row).toEqual(folded);
  });
});

describe('news of the provider', () => {
  test('have it asked at once, and what it says counts', async () => {
    const rideId = await captureInDoubt();
    provider.isBack();
    await saga.news(rideId, 'payment_intent.succeeded');
    await untilStatus(rideId, 'captured');
    expect(await factTypes(rideId)).toEqual(wayOf('captured'));
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 1_500 });
  });

  test('that come twice, in another order, or of what is over, change nothing', async () => {
    const rideId = await saga.open();
    await saga.news(rideId, 'payment_intent.succeeded');
    await untilStatus(rideId, 'authorized');
    for (const type of ['payment_intent.created', 'payment_intent.created', 'charge.refunded'])
      await saga.news(rideId, type);
    await saga.rideEnded(rideId, ended);
    await untilStatus(rideId, 'captured');
    await saga.news(rideId, 'payment_intent.amount_capturable_updated');
    await saga.news(rideId, 'payment_intent.canceled');
    expect(await saga.tip(rideId, 100)).toMatchObject({ tipMinor: 100 });
    expect(await factTypes(rideId)).toEqual([
      ...['payment.opened', 'payment.authorized', 'payment.captured', 'payment.tip_charged'],
    ]);
    expect(provider.asked(rideId).filter((what) => what.startsWith('capture'))).toHaveLength(1);
  });
});

describe('an operator', () => {
  test('has a call tried again at once', async () => {
    const rideId = await captureInDoubt();
    provider.isBack();
    await saga.operator(rideId, 'retryNow');
    await untilStatus(rideId, 'captured');
  });

  test('has nothing to retry where nothing has failed', async () => {
    const rideId = await played.captured();
    expect(await refusalOf(saga.operator(rideId, 'retryNow'))).toBe('retry_not_possible');
    const resolve = saga.operator(rideId, 'markResolved', { ...word, outcome: 'happened' });
    expect(await refusalOf(resolve)).toBe('resolve_not_possible');
  });

  test('says that a capture happened: it is booked, and the evidence is kept', async () => {
    const rideId = await captureInDoubt();
    await saga.operator(rideId, 'markResolved', { ...word, outcome: 'happened' });
    await untilStatus(rideId, 'captured');
    expect(await factTypes(rideId)).toEqual(wayOf('captured'));
    const { rows } = await pool.query<{ data: object }>(
      `select fact -> 'data' as data from steps where aggregate_id = $1 and fact_type = 'payment.resolved'`,
      [rideId],
    );
    expect(rows[0]!.data).toEqual({
      ...{ by: 'operator', outcome: 'happened' },
      ...{ evidence: word.evidence, operatorId: 'operator-1' },
    });
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 1_500 });
  });

  test('says that a capture did not: the card is charged', async () => {
    const rideId = await captureInDoubt();
    await saga.operator(rideId, 'markResolved', { ...word, outcome: 'did_not_happen' });
    await untilStatus(rideId, 'captured');
    expect(provider.asked(rideId).at(-1)).toBe('charge 1500');
  });

  test('has to name a charge that happened, and cannot make a hold of words', async () => {
    const rideId = await played.captured();
    loses('chargeTip');
    const tip = saga.tip(rideId, 300);
    await untilInDoubt(rideId);
    const happened = { ...word, outcome: 'happened' };
    expect(await refusalOf(saga.operator(rideId, 'markResolved', happened))).toBe('resolve_not_possible');
    await saga.operator(rideId, 'markResolved', { ...happened, objectId: 'pi_seen' });
    expect(await tip).toMatchObject({ tipMinor: 300 });
    expect(await getPayment(pool, rideId)).toMatchObject({ tipMinor: 300, status: 'captured' });

    loses('authorize');
    const unpaid = await saga.open();
    await untilStatus(unpaid, 'unresolved');
    expect(await refusalOf(saga.operator(unpaid, 'markResolved', happened))).toBe('resolve_not_possible');
  });

  test('gives up an authorization: the next method is tried, and a hold that came about is released', async () => {
    loses('authorize');
    const rideId = await saga.open({ fallbacks: [{ type: 'cash' }] });
    await untilInDoubt(rideId);
    await saga.operator(rideId, 'markResolved', { ...word, outcome: 'did_not_happen' });
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized: cash']);
    await untilAsked(rideId, 'void hold 1');
    await saga.rideEnded(rideId, ended);
    expect(await saga.result(rideId)).toBe('cash_settled');
  });

  test('is not heard where the provider says it first', async () => {
    loses('authorize', 2);
    const answer = held<Charged>();
    provider.next('authorize', () => answer.promise);
    const rideId = await saga.open();
    await sleep(5_000);
    await answer.asked;
    const marked = saga.operator(rideId, 'markResolved', { ...word, outcome: 'did_not_happen' });
    await played.untilEvent(rideId, 'activityTaskCancelRequestedEventAttributes');
    answer.release({ charged: true, intentId: 'pi_late' });
    await marked;
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized']);
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'authorized', intentId: 'pi_late' });
  });

  test.each([
    [{ outcome: 'perhaps' }],
    [{ outcome: 'happened', evidence: '' }],
    [{ outcome: 'happened', by: undefined }],
    [{ outcome: 'happened', by: 'jane@corp.com' }],
    [{ outcome: 'happened', by: 'auth0|7' }],
    [{ outcome: 'happened', objectId: '4242424242424242' }],
  ])('who says %p is told what an answer takes', async (wrong) => {
    const rideId = await captureInDoubt();
    const said = saga.operator(rideId, 'markResolved', { ...word, ...wrong });
    expect(await refusalOf(said)).toBe('argument_not_valid');
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'unresolved' });
    provider.isBack();
    await saga.operator(rideId, 'retryNow');
    await untilStatus(rideId, 'captured');
  });
});
