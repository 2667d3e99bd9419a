import type { Raised } from '../../domain/paymentCalls';
import type { RideFactType } from '../../domain/ride';
import { held } from '../support/playedProvider';
import { atOnce, committedMeanwhile, sendToBusy, type Move } from '../support/races';
import { arrived, expectSound, factsOf, proposed, settle, type Story } from '../support/rideGround';
import { startRideSaga, type RideSaga } from '../support/rideSaga';

/**
 * A cancel, and what takes effect only when the hold has been raised for it, in both orders. A cancel waits for nobody,
 * and whatever the provider answers then, all that is held goes.
 */
jest.setTimeout(20_000);
let saga: RideSaga;
beforeAll(async () => {
  saga = await startRideSaga();
});
afterAll(() => saga?.stop());
beforeEach(() => saga.provider.reset());

interface Costly {
  readonly what: string;
  readonly begins: () => Promise<Story & { changeId?: string }>;
  readonly asks: (story: { changeId?: string }) => Move;
  readonly fact: RideFactType;
  readonly fareMinor: number;
  readonly raise: string;
}

const higherFare: Costly = {
  what: 'a higher fare, at the pickup',
  begins: () => arrived(saga),
  asks: () => ({
    ...{ update: 'adjustFare', command: 'adjustFare' },
    argument: { totalMinor: 2_500, reason: 'detour' },
  }),
  ...{ fact: 'ride.fare_adjusted', fareMinor: 2_500, raise: 'raise 2850' },
};
const longerWay: Costly = {
  what: 'a longer way, accepted by the driver',
  begins: () => proposed(saga, 2_200),
  asks: ({ changeId }) => ({ update: 'acceptRoute', command: 'changeRoute', argument: { changeId } }),
  ...{ fact: 'ride.route_changed', fareMinor: 2_200, raise: 'raise 2200' },
};
const byRider: Move = {
  ...{ update: 'cancel', command: 'cancelByRider' },
  argument: { by: 'rider', reason: 'changed_mind' },
};
const byOperator: Move = {
  ...{ update: 'cancel', command: 'cancelByOperator' },
  argument: { by: 'operator', reason: 'safety' },
};

const pairs = [
  { ...higherFare, who: 'the rider', cancel: byRider },
  { ...higherFare, who: 'an operator', cancel: byOperator },
  { ...longerWay, who: 'an operator', cancel: byOperator },
];

describe.each(pairs)('$what, and a cancel by $who', ({ begins, asks, cancel, fact, fareMinor, raise }) => {
  const newFacts = async (rideId: string, before: readonly unknown[]): Promise<RideFactType[]> =>
    (await factsOf(saga, rideId)).slice(before.length).map(({ type }) => type);
  const hold = 'authorize 1850';

  test.each([
    ['raised', { raised: true }],
    ['not covered', { raised: false, reason: 'insufficient_funds' }],
  ] as const)('the cancel while the provider is asked, which answers: %s', async (_, answer) => {
    const story = await begins();
    const { rideId } = story;
    const before = await factsOf(saga, rideId);
    const raising = held<Raised>();
    saga.provider.next('raiseHold', () => raising.promise);
    const { outcome } = await sendToBusy(saga, story, asks(story));
    await raising.asked;
    const cancelled = await saga.update(rideId, cancel.update, cancel.argument!);
    expect(cancelled).toMatchObject({ status: 'cancelled', chargeMinor: 0, fare: { totalMinor: 1_500 } });
    raising.release(answer);
    expect(await outcome).toBe('illegal_transition');
    expect(await newFacts(rideId, before)).toEqual(['ride.cancelled']);
    expect(await settle(saga, rideId)).toEqual([hold, raise, 'void']);
  });

  test('the cancel first, both heard in one task: it does not apply, and no hold stays', async () => {
    const story = await begins();
    const { rideId } = story;
    const outcomes = await atOnce(saga, story, [cancel, asks(story)]);
    expect(outcomes).toEqual(['done', 'illegal_transition']);
    expect(await expectSound(saga, rideId)).toMatchObject({ chargeMinor: 0, fare: { totalMinor: 1_500 } });
    // Whether the provider was asked depends on whom the payment heard first.
    const money = await settle(saga, rideId);
    expect(money.filter((asked) => asked !== raise)).toEqual([hold, 'void']);
  });

  test('the cancel committed while it is recorded: it does not apply', async () => {
    const story = await begins();
    const { rideId } = story;
    const before = await factsOf(saga, rideId);
    const outcomes = await committedMeanwhile(saga, story, [cancel, asks(story)]);
    expect(outcomes).toEqual(['done', 'illegal_transition']);
    expect(await newFacts(rideId, before)).toEqual(['ride.cancelled']);
    expect(await settle(saga, rideId)).toEqual([hold, raise, 'void']);
  });

  test('the cancel after it: what was raised goes, too', async () => {
    const story = await begins();
    const { rideId, driverId } = story;
    const before = await factsOf(saga, rideId);
    const { update, argument } = asks(story);
    await saga.update(rideId, update, { driverId, ...argument });
    await saga.update(rideId, cancel.update, cancel.argument!);
    expect(await saga.ride(rideId)).toMatchObject({ chargeMinor: 0, fare: { totalMinor: fareMinor } });
    expect(await newFacts(rideId, before)).toEqual([fact, 'ride.cancelled']);
    expect(await settle(saga, rideId)).toEqual([hold, raise, 'void']);
  });

  test('it is committed while the cancel was decided: the cancel is decided anew, and stands', async () => {
    const story = await begins();
    const { rideId } = story;
    const before = await factsOf(saga, rideId);
    expect(await committedMeanwhile(saga, story, [asks(story), cancel])).toEqual(['done', 'done']);
    expect(await newFacts(rideId, before)).toEqual([fact, 'ride.cancelled']);
    expect(await settle(saga, rideId)).toEqual([hold, 'void']);
  });
});
