import { Context } from '@temporalio/activity';
import type { History } from '@temporalio/common/lib/proto-utils';
import { standardPolicies } from '../../domain/policies';
import { waits } from '../../domain/stuck';
import { cardOf, isStuck } from '../support/card';
import { eventually, startRideSaga, type RideSaga } from '../support/rideSaga';

jest.setTimeout(60_000);

let saga: RideSaga;
beforeEach(async () => {
  saga = await startRideSaga();
});
afterEach(() => saga?.stop());

const HOUR = 3_600_000;
const leadMs = standardPolicies.scheduleLeadMs;
const limitMs = waits.scheduled.limitMs(standardPolicies, { durationSeconds: 0, reservedDriverId: null });

const historyOf = (rideId: string): Promise<History> => saga.waiting(rideId).fetchHistory();
const count = ({ events }: History, attributes: string): number =>
  events!.filter((event) => event[attributes as 'timerStartedEventAttributes']).length;
const untilStuck = (rideId: string, stuck: boolean): Promise<true> =>
  eventually(async () => (await isStuck(saga.waiting(rideId))) === stuck || undefined);

/**
 * A step that fails until `isBack`. The SDK's core gives up a local activity that fails by the machine's clock, and
 * ours has skipped an hour: so the first attempt hangs, which does time out.
 */
function down(): { step: () => Promise<void>; isBack: () => void } {
  let [isDown, first] = [true, true];
  return {
    async step() {
      if (!isDown) return;
      if (first) {
        first = false;
        await Context.current().cancelled;
      }
      throw new Error('connect ECONNREFUSED');
    },
    isBack: () => void (isDown = false),
  };
}

test('a ride that is not released when it is due is found as stuck, and no longer when it is released', async () => {
  const rideId = await saga.schedule(HOUR);
  const database = down();
  saga.before.release = async function again() {
    saga.before.release = again;
    await database.step();
  };
  await saga.env.sleep(HOUR - leadMs + 1_000);
  await eventually(
    async () => count(await historyOf(rideId), 'activityTaskScheduledEventAttributes') || undefined,
  );
  expect(await isStuck(saga.waiting(rideId))).toBeUndefined();
  const card = await cardOf(saga.waiting(rideId));
  expect(card).toContain('**scheduled** (version 1)');
  expect(card).toContain('waits for: its time to come');
  expect(card).toMatch(/last failure: 20\S+Z, release: `Activity timed out`/);
  await saga.env.sleep(limitMs);
  await untilStuck(rideId, true);
  expect(await cardOf(saga.waiting(rideId))).toContain(`next action: ${waits.scheduled.action}`);
  database.isBack();
  await saga.env.sleep(10_000);
  await saga.until(rideId, ({ status }) => status === 'matching');
  expect(await saga.waiting(rideId).result()).toBe('requested');
  await untilStuck(rideId, false);
});

test('one that was released cannot begin: its own workflow says so', async () => {
  const rideId = await saga.schedule(HOUR);
  const temporal = down();
  saga.instead.startRide = async (start) => {
    await temporal.step();
    return saga.activities.lifecycle.startRide(start);
  };
  await saga.env.sleep(HOUR - leadMs + 1_000);
  await eventually(
    async () => count(await historyOf(rideId), 'activityTaskScheduledEventAttributes') || undefined,
  );
  await saga.env.sleep(3 * 60_000);
  await untilStuck(rideId, true);
  expect(await cardOf(saga.waiting(rideId))).toContain('startRide: `');
  temporal.isBack();
  await saga.env.sleep(10_000);
  await saga.until(rideId, ({ status }) => status === 'matching');
});

test('where nothing fails, looking costs no event', async () => {
  const rideId = await saga.schedule(HOUR);
  await saga.env.sleep(HOUR - leadMs + 1_000);
  expect(await saga.waiting(rideId).result()).toBe('requested');
  const history = await historyOf(rideId);
  expect(count(history, 'timerStartedEventAttributes')).toBe(1);
  // Only that it is no longer scheduled.
  expect(count(history, 'upsertWorkflowSearchAttributesEventAttributes')).toBe(1);
});
