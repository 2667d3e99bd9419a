import type { Charged } from '../../domain/paymentCalls';
import { getPayment } from '../../services/payments/books/paymentStore';
import { ApplicationFailure } from '@temporalio/common';
import { refusalOf } from '../support/paymentSaga';
import { ended, paymentsInDoubt, wayOf, word } from '../support/paymentsInDoubt';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { held } from '../support/playedProvider';

jest.setTimeout(60_000);

let played: PlayedPayments;
let { pool, provider, saga, sleep, untilStatus, untilHeard, untilAsked, factTypes, rowAndFold, booked } =
  {} as PlayedPayments;
let { loses, captureInDoubt, untilInDoubt } = {} as ReturnType<typeof paymentsInDoubt>;

/** Evidence that the record refuses. */
const unrecorded = 'unrecorded';

beforeAll(async () => {
  played = await startPlayedPayments((activities) => ({
    ...activities,
    recordResolved: (step) =>
      'evidence' in step.fact.data && step.fact.data.evidence === unrecorded
        ? Promise.reject(ApplicationFailure.nonRetryable('no such evidence', 'argument_not_valid'))
        : activities.recordResolved(step),
  }));
  ({ pool, provider, saga, sleep, untilStatus, untilHeard, untilAsked, factTypes, rowAndFold, booked } =
    played);
  ({ loses, captureInDoubt, untilInDoubt } = paymentsInDoubt(played));
});
beforeEach(() => provider.reset());
afterAll(() => played?.stop());

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

  test('says that a capture did not: the hold is released, then the card is charged', async () => {
    const rideId = await captureInDoubt();
    await saga.operator(rideId, 'markResolved', { ...word, outcome: 'did_not_happen' });
    await untilStatus(rideId, 'captured');
    expect(provider.asked(rideId).slice(-2)).toEqual(['void', 'charge 1500']);
    expect(await factTypes(rideId)).toEqual(wayOf('captured'));
  });

  test('is wrong about a capture that happened: it is booked, and nobody is charged again', async () => {
    const rideId = await captureInDoubt();
    provider.isBack();
    provider.next('voidHold', () =>
      Promise.reject(ApplicationFailure.nonRetryable('hold pi_1 is captured', 'hold_captured')),
    );
    await saga.operator(rideId, 'markResolved', { ...word, outcome: 'did_not_happen' });
    const { intentId } = await untilStatus(rideId, 'captured');
    expect(intentId).toBe(`pi_${rideId}`);
    expect(provider.asked(rideId).filter((what) => what.startsWith('charge'))).toEqual([]);
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 1_500 });
  });

  test.each([
    ['chargeTip', (rideId: string) => saga.tip(rideId, 300), 'tip_declined'],
    [
      'chargeExtra',
      (rideId: string) =>
        saga.operator(rideId, 'adjustCharge', { adjustmentKey: 'adj-1', toMinor: 1_800, reason: 'toll' }),
      'adjust_not_possible',
    ],
  ] as const)('gives up a %s: what had happened all the same is booked', async (call, charge, refusal) => {
    const [rideId, wrong] = [await played.captured(), await played.captured()];
    const didNot = { ...word, outcome: 'did_not_happen' };
    loses(call);
    const refused = refusalOf(charge(rideId));
    await untilInDoubt(rideId);
    await saga.operator(rideId, 'markResolved', didNot);
    expect(await refused).toBe(refusal);
    expect(provider.asked(rideId).at(-1)).toBe(`give up ${call} 1`);
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 1_500 });

    provider.isBack();
    loses(call);
    provider.next('giveUpCharge', () => Promise.resolve({ charged: true, intentId: 'pi_late' }));
    const taken = charge(wrong);
    await untilInDoubt(wrong);
    await saga.operator(wrong, 'markResolved', didNot);
    await taken;
    expect(await booked(wrong)).toMatchObject({ provider_clearing: 1_800 });
    const [row, folded] = await rowAndFold(wrong);
    expect(row).toEqual(folded);
  });

  test('who says that a refund did not happen is believed when the provider has none', async () => {
    const [rideId, wrong] = [await played.captured(), await played.captured()];
    const didNot = { ...word, outcome: 'did_not_happen' };
    const order = { refundKey: 'ops:1', amountMinor: 500, reason: 'detour' };
    loses('refund');
    const refused = refusalOf(saga.refund(rideId, order));
    await untilInDoubt(rideId);
    await saga.operator(rideId, 'markResolved', didNot);
    expect(await refused).toBe('refund_not_possible');
    expect(provider.asked(rideId).at(-1)).toBe('find refund 500');
    expect(await booked(rideId)).toMatchObject({ provider_clearing: 1_500 });

    provider.isBack();
    loses('refund');
    provider.next('findRefund', () => Promise.resolve({ refunded: true, refundId: 're_late' }));
    const given = saga.refund(wrong, order);
    await untilInDoubt(wrong);
    await saga.operator(wrong, 'markResolved', didNot);
    expect(await given).toMatchObject({ refundId: 're_late' });
    expect(await booked(wrong)).toMatchObject({ provider_clearing: 1_000 });
  });

  test('whose word cannot be recorded is told so, and the doubt stays until the next word', async () => {
    const rideId = await captureInDoubt();
    const happened = { ...word, outcome: 'happened' };
    const unheard = saga.operator(rideId, 'markResolved', { ...happened, evidence: unrecorded });
    expect(await refusalOf(unheard)).toBe('argument_not_valid');
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'unresolved' });
    await untilInDoubt(rideId);
    await saga.operator(rideId, 'markResolved', happened);
    await untilStatus(rideId, 'captured');
    expect(await factTypes(rideId)).toEqual(wayOf('captured'));
  });

  test('who says that a charge did not happen is believed when the provider has given it up, or says another word', async () => {
    const rideId = await played.captured();
    loses('chargeTip');
    loses('giveUpCharge');
    const tip = saga.tip(rideId, 300);
    await untilInDoubt(rideId);
    const didNot = saga.operator(rideId, 'markResolved', { ...word, outcome: 'did_not_happen' });
    await untilAsked(rideId, 'give up chargeTip 1');
    await untilInDoubt(rideId);
    const happened = { ...word, outcome: 'happened', objectId: 'pi_seen' };
    await saga.operator(rideId, 'markResolved', happened);
    await didNot;
    expect(await tip).toMatchObject({ tipMinor: 300 });
  });

  test('has to name a charge that happened, and cannot make a hold of words', async () => {
    const rideId = await played.captured();
    loses('chargeTip');
    const tip = saga.tip(rideId, 300);
    await untilInDoubt(rideId);
    const happened = { ...word, outcome: 'happened' };
    for (const named of [happened, { ...happened, objectId: 're_seen' }, { ...happened, objectId: 'seen' }])
      expect(await refusalOf(saga.operator(rideId, 'markResolved', named))).toBe('resolve_not_possible');
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
    [{ outcome: 'happened', objectId: 'pi_4242424242424242' }],
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
