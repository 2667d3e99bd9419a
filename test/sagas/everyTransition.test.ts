import { v7 as uuidv7 } from 'uuid';
import { foldRide } from '../../domain/foldRide';
import { standardPolicies } from '../../domain/policies';
import { rideTransitions, type Ride, type RideCommandType } from '../../domain/ride';
import {
  anotherWay,
  arrived,
  asked,
  assigned,
  expectSound,
  factsOf,
  HOUR,
  offered,
  offeredNext,
  proposed,
  scheduled,
  settle,
  underWay,
  unpaid,
  type Story,
} from '../support/rideGround';
import { startRideSaga, type RideSaga } from '../support/rideSaga';

/**
 * Every row of the table of a ride's life, as its workflow goes through it: the table itself is what is gone through,
 * so that no row can be forgotten. A command that is new to the table needs its way here to compile, and to run.
 */
let saga: RideSaga;
beforeAll(async () => {
  saga = await startRideSaga();
});
afterAll(() => saga?.stop());
afterEach(() => saga.provider.reset());

type From = (typeof rideTransitions)[RideCommandType]['from'][number];
interface Told extends Story {
  readonly from: From;
  /** The present ride of a driver who has this one next. */
  readonly present?: string;
  /** What the rider proposes. */
  readonly changeId?: string;
}

/** How a ride gets to where a command can come. */
const reach: Partial<Record<From, (saga: RideSaga) => Promise<Story>>> = {
  nothing: () => Promise.resolve({ rideId: uuidv7(), driverId: '' }),
  scheduled,
  requested: unpaid,
  matching: offered,
  assigned,
  arrived,
  in_progress: underWay,
};

interface Way {
  /** Where a ride has to be for it, if that takes more than its status. */
  readonly given?: (saga: RideSaga) => Promise<Story>;
  /** What people do, or what comes about by itself. */
  readonly when: (story: Told) => Promise<unknown>;
  /** What is asked of the payment's provider until the ride is over: held and released, unless told otherwise. */
  readonly money?: readonly string[];
}

const held = 'authorize 1850';
const update =
  (name: Parameters<RideSaga['update']>[1], more: object = {}) =>
  ({ rideId, driverId }: Story) =>
    saga.update(rideId, name, { driverId, ...more });
const accept = ({ driverId }: Story) => saga.accept(driverId);
const cancel = (by: 'rider' | 'operator') => async (story: Told) => {
  const word = { by, reason: 'said' };
  if (story.from === 'scheduled') return saga.waiting(story.rideId).executeUpdate('cancel', { args: [word] });
  await update('cancel', word)(story);
  // The hold that comes late goes again.
  if (story.from === 'requested') await answer({ charged: true, intentId: 'pi_late' })(story);
};
const answer =
  (charged: Parameters<Awaited<ReturnType<typeof unpaid>>['answer']>[0]) =>
  async (story: Story): Promise<void> =>
    (story as Awaited<ReturnType<typeof unpaid>>).answer(charged);
const answerTo = (name: 'acceptRoute' | 'declineRoute') => (story: Told) =>
  update(name, { changeId: story.changeId })(story);
const reason = { reason: 'said' };

const ways: Readonly<Record<RideCommandType, Way>> = {
  schedule: { when: ({ rideId }) => saga.schedule(2 * HOUR, {}, rideId) },
  reschedule: {
    when: async ({ rideId }) => {
      const scheduledFor = new Date((await saga.env.currentTimeMs()) + 5 * HOUR).toISOString();
      await saga.waiting(rideId).executeUpdate('reschedule', { args: [{ request: { scheduledFor } }] });
    },
  },
  release: { when: () => saga.env.sleep(2 * HOUR - standardPolicies.scheduleLeadMs + 2_000) },
  request: { when: ({ rideId }) => saga.request({ ...asked, rideId }) },
  startMatching: { when: answer({ charged: true, intentId: 'pi_late' }) },
  failPayment: { when: answer({ charged: false, reason: 'card_declined' }), money: [held] },
  reserveDriver: { given: offeredNext, when: accept },
  releaseReservation: {
    given: async () => {
      const story = await offeredNext(saga);
      await accept(story);
      await saga.until(story.rideId, (ride) => ride.reservedDriverId === story.driverId);
      return story;
    },
    when: update('unassign', reason),
  },
  assignDriver: { when: accept },
  giveUpMatching: { when: () => saga.env.sleep(standardPolicies.matchingDeadlineMs + 1_000) },
  unassignDriver: { when: update('unassign', reason) },
  reassign: { when: update('reassign', reason) },
  arrive: { when: update('arrive') },
  start: { when: update('start') },
  reachStop: { when: update('reachStop', { stop: 1 }) },
  proposeRoute: { when: update('proposeRoute', { change: anotherWay(1_500) }) },
  declineRoute: { given: proposed, when: answerTo('declineRoute') },
  changeRoute: { given: proposed, when: answerTo('acceptRoute') },
  adjustFare: { when: update('adjustFare', { totalMinor: 900, ...reason }) },
  complete: { when: update('complete'), money: [held, 'capture 1500'] },
  forceComplete: { when: update('forceComplete', reason), money: [held, 'capture 1500'] },
  // Half of the way: the base, and half of what the distance costs.
  endEarly: {
    when: update('endEarly', { by: 'rider', drivenMeters: 2_100, ...reason }),
    money: [held, 'capture 1000'],
  },
  reportNoShow: {
    given: async () => {
      const story = await arrived(saga);
      await saga.env.sleep(standardPolicies.noShowAfterMs + 1_000);
      return story;
    },
    when: update('reportNoShow'),
    money: [held, 'capture 500'],
  },
  cancelByRider: { when: cancel('rider') },
  cancelByOperator: { when: cancel('operator') },
};

const rows = (Object.keys(rideTransitions) as RideCommandType[]).flatMap((command) =>
  rideTransitions[command].from.map((from) => ({ command, from, ...factAndStatus(command, from) })),
);

function factAndStatus(command: RideCommandType, from: From) {
  const { to, fact } = rideTransitions[command];
  return { fact, status: to === 'same' ? from : to };
}

test.each(rows)('$command, $from: $fact, then $status', async ({ command, from, fact, status }) => {
  const { given = reach[from], when, money = [held, 'void'] } = ways[command];
  const story: Told = { ...(await given!(saga)), from };
  const { rideId, present } = story;
  const before = from === 'nothing' ? [] : await factsOf(saga, rideId);
  await when(story);
  await saga.until(rideId, ({ version }) => version > before.length);

  const facts = await factsOf(saga, rideId);
  expect(facts[before.length]!.type).toBe(fact);
  const after = facts.slice(0, before.length + 1).reduce<Ride | null>(foldRide, null);
  expect(after!.status).toBe(status);
  await expectSound(saga, rideId);

  if (present !== undefined) await settle(saga, present);
  expect(await settle(saga, rideId)).toEqual(
    facts.some(({ type }) => type === 'ride.requested') ? money : [],
  );
});
