import { ApplicationFailure } from '@temporalio/common';
import {
  operatorUpdates,
  paymentWorkflowId,
  rideWorkflowId,
  scheduledRideWorkflowId,
} from '../../domain/names';
import { standardPolicies } from '../../domain/policies';
import { waits } from '../../domain/stuck';
import { stuckLines } from '../../tools/cli/rides';
import { freshKey } from '../support/api';
import { apiStory, cash, operator, rider, type Person } from '../support/apiStory';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

// A second of a quoted duration is a thousandth of one, so that a payment is late soon.
const story = apiStory({ policies: { quotedSecondMs: 1 } });
const card = { type: 'card', token: 'pm_card_visa' };
const DAY = 24 * 3_600_000;

/** What `hailway rides stuck` prints a day later, by the first word of each paragraph. */
async function stuckADayLater(): Promise<Map<string, string[]>> {
  const { url: apiUrl, temporal, token } = story.api;
  story.api.clockMs = DAY;
  try {
    const sources = { apiUrl, temporal, token: await token(...operator), temporalUiUrl: 'http://ui.example' };
    const paragraphs = (await stuckLines(sources)).map((text) => text.split('\n  '));
    return new Map(paragraphs.map((lines) => [lines[0]!.split(' ')[0]!, lines]));
  } finally {
    story.api.clockMs = 0;
  }
}

/** The workflow to which a paragraph's link leads is there and goes on. */
async function expectLinkToWork(lines: readonly string[], workflowId: string): Promise<void> {
  const { namespace } = story.api.temporal.options;
  expect(lines.at(-1)).toBe(`http://ui.example/namespaces/${namespace}/workflows/${workflowId}`);
  const { status } = await story.api.temporal.workflow.getHandle(workflowId).describe();
  expect(status.name).toBe('RUNNING');
}

async function scheduledRide(): Promise<string> {
  const { token } = await story.api.quote('rider-1');
  const scheduledFor = new Date(Date.now() + 7_200_000).toISOString();
  const body = { quoteToken: token, paymentMethod: cash, scheduledFor };
  const headers = { 'idempotency-key': freshKey() };
  return (await story.api.call('POST', '/v1/rides', { as: rider, headers, body })).body.rideId;
}

async function matchingRide(paymentMethod: object): Promise<string> {
  const rideId = await story.newRide(paymentMethod);
  await eventually(async () => {
    const { body } = await story.api.call('GET', `/v1/rides/${rideId}`, { as: rider });
    return body.status === 'matching' || undefined;
  });
  return rideId;
}

async function arrivedRide(driver: Person): Promise<string> {
  const rideId = await story.assignedRide(driver);
  await story.act(rideId, 'arrive', driver);
  return rideId;
}

const cancel = (rideId: string) => story.act(rideId, 'cancel', operator, { reason: 'stuck' });
const [driverId, reason] = ['states-1', 'stuck'];
const driver = () => story.onlineDriver(driverId);

describe('a ride that is stuck is listed with its link, and what is to be done can be done', () => {
  test.each<
    [keyof typeof waits, () => Promise<string>, (rideId: string) => Promise<{ status: number }>, string]
  >([
    ['scheduled', scheduledRide, cancel, 'cancelled'],
    ['matching', () => matchingRide(cash), cancel, 'cancelled'],
    [
      'assigned',
      async () => story.assignedRide(await driver()),
      (rideId) => story.operate(rideId, 'arrive', { reason }),
      'arrived',
    ],
    [
      'arrived',
      async () => arrivedRide(await driver()),
      (rideId) => story.operate(rideId, 'reassign', { driverId, reason }),
      'matching',
    ],
    [
      'in_progress',
      async () => story.drivenRide(await driver()),
      (rideId) => story.operate(rideId, 'complete', { reason }),
      'completed',
    ],
  ])('%s', async (status, begin, help, after) => {
    const rideId = await begin();
    const lines = await eventually(async () => (await stuckADayLater()).get(rideId));
    expect(lines[0]).toMatch(new RegExp(`is ${status} since 20`));
    expect(lines[1]).toMatch(new RegExp(`^waits for ${waits[status].for}, \\d+ h longer than allowed$`));
    expect(lines).toContain(`next: ${waits[status].action}`);
    const workflowId = status === 'scheduled' ? scheduledRideWorkflowId : rideWorkflowId;
    await expectLinkToWork(lines, workflowId(rideId));
    expect(await help(rideId)).toMatchObject({ status: 200, body: { status: after } });
    expect((await stuckADayLater()).get(rideId)?.[0] ?? '').not.toContain(`is ${status} `);
  });

  test('requested: the payment that it waits for is listed beside it, with its own reason', async () => {
    const held = story.api.provider.late<'authorize', { charged: true; intentId: string }>('authorize');
    const rideId = await story.newRide(card);
    const payment = await eventually(async () => (await stuckADayLater()).get(paymentWorkflowId(rideId)));
    expect(payment.join('\n')).toMatch(
      /waits for: the payment provider: Hold USD .*\nlast failure: .*ECONNREFUSED/,
    );
    await expectLinkToWork(payment, paymentWorkflowId(rideId));
    const lines = (await stuckADayLater()).get(rideId)!;
    expect(lines).toContain(`next: ${waits.requested.action}`);
    await expectLinkToWork(lines, rideWorkflowId(rideId));
    held.release({ charged: true, intentId: 'pi_late' });
    await eventually(async () => !(await stuckADayLater()).has(paymentWorkflowId(rideId)) || undefined);
  });
});

test('a ride whose rider is asked by their bank is not stuck before their time is over', async () => {
  const { provider, call } = story.api;
  provider.next('authorize', () =>
    Promise.resolve({ charged: false, reason: 'action_required', actionIntentId: 'pi_action' }),
  );
  const rideId = await story.newRide(card);
  await eventually(async () => {
    const { body } = await call('GET', `/v1/rides/${rideId}/payment`, { as: rider });
    return body.status === 'action_required' || undefined;
  });
  /** Whether the ride is listed so long after its request. */
  const isListed = async (afterMs: number): Promise<boolean> => {
    story.api.clockMs = afterMs;
    const { body } = await call('GET', '/v1/ops/rides/stuck', { as: operator });
    story.api.clockMs = 0;
    return (body['rides'] as { rideId: string }[]).some((ride) => ride.rideId === rideId);
  };
  const { actionDeadlineMs } = standardPolicies;
  expect(await isListed(actionDeadlineMs / 2)).toBe(false);
  expect(await isListed(actionDeadlineMs + 60_000)).toBe(true);
});

test('a hold that cannot be released is listed as parked, and no longer when an operator has said to try again', async () => {
  const { provider, temporal } = story.api;
  const rideId = await matchingRide(card);
  provider.next('voidHold', () => Promise.reject(ApplicationFailure.nonRetryable('No such intent.', 'gone')));
  await cancel(rideId);
  const workflowId = paymentWorkflowId(rideId);
  const lines = await eventually(async () => (await stuckADayLater()).get(workflowId));
  expect(lines[1]).toMatch(/^Parked: could not release the hold \(version 2\), since 20/);
  expect(lines[3]).toMatch(/release the hold: `No such intent\.`$/);
  expect(lines[4]).toContain(
    `next action: mend the cause and send the Update \`${operatorUpdates.retryCompensation}\``,
  );
  await expectLinkToWork(lines, workflowId);
  await temporal.workflow.getHandle(workflowId).executeUpdate(operatorUpdates.retryCompensation);
  await eventually(async () => !(await stuckADayLater()).has(workflowId) || undefined);
  expect(await temporal.workflow.getHandle(workflowId).result()).toBe('voided');
});
