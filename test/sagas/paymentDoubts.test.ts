import { getPayment } from '../../services/payments/books/paymentStore';
import { busyProvider } from '../../activities/payments';
import { ended, paymentsInDoubt, wayOf } from '../support/paymentsInDoubt';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

let played: PlayedPayments;
let { pool, provider, saga, sleep, untilStatus, untilHeard, factTypes, rowAndFold, booked } =
  {} as PlayedPayments;
let { loses, captureInDoubt, untilInDoubt } = {} as ReturnType<typeof paymentsInDoubt>;

beforeAll(async () => {
  played = await startPlayedPayments();
  ({ pool, provider, saga, sleep, untilStatus, untilHeard, factTypes, rowAndFold, booked } = played);
  ({ loses, captureInDoubt, untilInDoubt } = paymentsInDoubt(played));
});
beforeEach(() => provider.reset());
afterAll(() => played?.stop());

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

  test('is not said while an answer may be on its way: for as long as the client waits', async () => {
    const order = { providerPatienceSeconds: 5 };
    loses('authorize', 4);
    const slow = await saga.open({}, order);
    await sleep(4_000);
    expect(await untilHeard(slow)).toEqual(['paymentAuthorized']);
    expect(await factTypes(slow)).toEqual(['payment.opened', 'payment.authorized']);

    provider.isBack();
    loses('authorize');
    const lost = await saga.open({}, order);
    await sleep(10_000);
    await untilStatus(lost, 'unresolved');
  });

  const turnedAway = (times: number): void => {
    for (let i = 0; i < times; i += 1)
      provider.next('chargeTip', () => Promise.reject(busyProvider(new Error('not asked'), 5_000)));
  };

  test('of one try is not forgotten for those after it that were turned away before they were made', async () => {
    const rideId = await played.captured();
    turnedAway(1);
    loses('chargeTip', 1);
    turnedAway(40);
    const tip = saga.tip(rideId, 200);
    const unresolved = await eventually(async () => {
      await sleep(5_000);
      return (await getPayment(pool, rideId))?.unresolved ?? undefined;
    });
    expect(unresolved).toMatchObject({ call: 'chargeTip' });
    provider.isBack();
    await sleep('5 minutes');
    expect(await tip).toMatchObject({ tipMinor: 200 });
  });

  test('is none where every try was turned away before it was made', async () => {
    const rideId = await played.captured();
    turnedAway(40);
    const tip = saga.tip(rideId, 200);
    await sleep('2 minutes');
    provider.isBack();
    await sleep('5 minutes');
    expect(await tip).toMatchObject({ tipMinor: 200 });
    expect(await factTypes(rideId)).not.toContain('payment.unresolved');
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
