import { rideSignals, rideWorkflowId } from '../../domain/names';
import { standardPolicies } from '../../domain/policies';
import { rideTransitions, type RideStatus } from '../../domain/ride';
import { atOnce, committedMeanwhile, type Move, type Outcome } from '../support/races';
import {
  arrived,
  assigned,
  expectSound,
  factsOf,
  settle,
  underWay,
  unpaid,
  type Story,
} from '../support/rideGround';
import { startRideSaga, type RideSaga } from '../support/rideSaga';

/** Two who act on one ride at the same time, in both orders: the second is decided on what the first has made of it. */
let saga: RideSaga;
beforeAll(async () => {
  saga = await startRideSaga();
});
afterAll(() => saga?.stop());

/** At the pickup for as long as a rider may keep a driver waiting. */
async function waited(): Promise<Story> {
  const story = await arrived(saga);
  await saga.env.sleep(standardPolicies.noShowAfterMs + 1_000);
  return story;
}

const rides = {
  assigned: () => assigned(saga),
  'at the pickup': () => arrived(saga),
  'at the pickup for long': waited,
  'under way': () => underWay(saga),
};

const reason = 'said';
const moves = {
  'the rider cancels': {
    ...{ update: 'cancel', command: 'cancelByRider' },
    argument: { by: 'rider', reason },
  },
  'an operator cancels': {
    ...{ update: 'cancel', command: 'cancelByOperator' },
    argument: { by: 'operator', reason },
  },
  'the driver arrives': { update: 'arrive', command: 'arrive' },
  'the driver gives it back': { update: 'unassign', command: 'unassignDriver', argument: { reason } },
  'an operator reassigns it': { update: 'reassign', command: 'reassign', argument: { reason } },
  'it starts': { update: 'start', command: 'start' },
  'nobody shows up': { update: 'reportNoShow', command: 'reportNoShow' },
  'it is completed': { update: 'complete', command: 'complete' },
  'the rider ends it half way': {
    ...{ update: 'endEarly', command: 'endEarly' },
    argument: { by: 'rider', reason, drivenMeters: 2_100 },
  },
} as const satisfies Record<string, Move>;

type Who = keyof typeof moves;
type Race = readonly [
  ride: keyof typeof rides,
  first: Who,
  second: Who,
  ofSecond: Outcome,
  status: RideStatus,
  money: readonly string[],
];

const refused = 'illegal_transition';
const released = ['authorize 1850', 'void'];
const charged = (minor: number) => ['authorize 1850', `capture ${minor}`];

/**
 * The money is what the provider is asked for until the ride is over; one that goes on is then cancelled for nothing.
 */
const races: readonly Race[] = [
  ['assigned', 'the rider cancels', 'the driver arrives', refused, 'cancelled', released],
  ['assigned', 'the driver arrives', 'the rider cancels', 'done', 'cancelled', released],
  ['assigned', 'the driver gives it back', 'the driver arrives', refused, 'matching', released],
  ['assigned', 'the driver arrives', 'the driver gives it back', 'done', 'matching', released],
  ['assigned', 'an operator reassigns it', 'the driver arrives', refused, 'matching', released],
  ['assigned', 'the driver arrives', 'an operator reassigns it', 'done', 'matching', released],
  ['at the pickup', 'the rider cancels', 'it starts', refused, 'cancelled', released],
  ['at the pickup', 'it starts', 'the rider cancels', refused, 'in_progress', released],
  ['at the pickup', 'an operator cancels', 'it starts', refused, 'cancelled', released],
  ['at the pickup', 'it starts', 'an operator cancels', 'done', 'cancelled', released],
  ['at the pickup for long', 'nobody shows up', 'it starts', refused, 'cancelled', charged(500)],
  ['at the pickup for long', 'it starts', 'nobody shows up', refused, 'in_progress', released],
  ['under way', 'it is completed', 'an operator cancels', refused, 'completed', charged(1_500)],
  ['under way', 'an operator cancels', 'it is completed', refused, 'cancelled', released],
  ['under way', 'it is completed', 'the rider ends it half way', refused, 'completed', charged(1_500)],
  ['under way', 'the rider ends it half way', 'it is completed', refused, 'completed', charged(1_000)],
];

describe.each([
  ['both heard in one task', atOnce],
  ['the first committed while the second was decided', committedMeanwhile],
])('%s', (_, race) => {
  test.each(races)('%s: %s, then %s: %s, %s', async (ride, first, second, ofSecond, status, money) => {
    const story = await rides[ride]();
    const { rideId } = story;
    const before = await factsOf(saga, rideId);

    expect(await race(saga, story, [moves[first], moves[second]])).toEqual(['done', ofSecond]);

    expect(await expectSound(saga, rideId)).toMatchObject({ status });
    const happened = ofSecond === 'done' ? [first, second] : [first];
    const facts = (await factsOf(saga, rideId)).slice(before.length).map(({ type }) => type);
    // The step of no consequence comes before both.
    expect(facts.filter((type) => type !== 'ride.fare_adjusted')).toEqual(
      happened.map((who) => rideTransitions[moves[who].command].fact),
    );
    expect(await settle(saga, rideId)).toEqual(money);
  });
});

test('a cancel whose task comes again, after a signal that came meanwhile, is answered with what it did', async () => {
  const { rideId, answer } = await unpaid(saga);
  // A task that would end the workflow is lost to it: the signal is heard first when it comes again.
  saga.before.cancelByRider = () =>
    saga.client.workflow.getHandle(rideWorkflowId(rideId)).signal(rideSignals.paymentAuthorized);
  const ride = await saga.update(rideId, 'cancel', { by: 'rider', reason });
  expect(ride).toMatchObject({ status: 'cancelled', version: 2 });
  answer({ charged: true, intentId: 'pi_late' });
  expect(await settle(saga, rideId)).toEqual(released);
});
