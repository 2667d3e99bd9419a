import { Client, Connection, type ScheduleHandle } from '@temporalio/client';
import { payoutSchedule, workflowTypes } from '../../domain/names';
import { payoutPeriod } from '../../domain/payout';
import { prepareSchedules } from '../../tools/stack/schedules';
import { ownNamespace } from '../support/apiGround';
import { startPayoutGround, type PayoutGround } from '../support/payoutGround';
import { playedTransfers } from '../support/playedTransfers';
import { eventually } from '../support/rideSaga';
import { existingEnvironment, temporalAddress } from '../support/servers';

const provider = playedTransfers();
let ground: PayoutGround;
let connection: Connection;
let schedule: ScheduleHandle;
let prepare: (speed?: number) => Promise<void>;

beforeAll(async () => {
  const namespace = await ownNamespace();
  const env = await existingEnvironment(namespace);
  ground = await startPayoutGround({ env, instead: () => provider.activities });
  connection = await Connection.connect({ address: temporalAddress() });
  schedule = new Client({ connection, namespace }).schedule.getHandle(payoutSchedule.scheduleId);
  prepare = (speed = 1) => prepareSchedules({ address: temporalAddress(), namespace, speed });
});
afterAll(async () => {
  await connection?.close();
  await ground?.stop();
});

const weekIn = (ms: number): string => payoutPeriod(new Date(Date.now() + ms).toISOString());

test('the Schedule comes on Mondays, pays the drivers when it comes, and twice in a week pays once', async () => {
  const driverId = await ground.driver(5_000);
  await prepare();
  const { info } = await schedule.describe();
  const [first] = info.nextActionTimes;
  expect([first!.getUTCDay(), first!.getUTCHours()]).toEqual([1, 4]);
  // Both are to come in one week: not now, where it is about to end.
  await eventually(async () => weekIn(0) === weekIn(60_000) || undefined, 90_000);
  const period = weekIn(0);
  await schedule.trigger();
  const payout = await ground.untilPayout(
    { driverId, currency: 'USD', period },
    ({ status }) => status === 'paid',
  );
  expect(payout.amountMinor).toBe(5_000);
  await ground.earned(driverId, 700);
  await schedule.trigger();
  await eventually(async () => {
    const { recentActions } = (await schedule.describe()).info;
    const ids = recentActions.map(({ action }) => action.workflow.workflowId);
    if (ids.length < 2) return undefined;
    const runs = await Promise.all(ids.map((id) => ground.client.workflow.getHandle(id).describe()));
    return (
      runs.every(({ status, type }) => status.name === 'COMPLETED' && type === workflowTypes.payoutBatch) ||
      undefined
    );
  }, 30_000);
  expect(provider.sentTo(driverId)).toEqual([5_000]);
}, 180_000);

test('set-up again brings it up to date, and leaves it paused where an operator has paused it', async () => {
  await prepare();
  await schedule.pause('the bank is closed');
  await prepare(60);
  const { state, action } = await schedule.describe();
  expect(state).toMatchObject({ paused: true, note: 'the bank is closed' });
  expect(action).toMatchObject({
    args: [{ policies: { disputeLookMs: 12 * 60 * 1_000 }, payoutsPerSecond: 20 }],
    workflowType: workflowTypes.payoutBatch,
  });
});
