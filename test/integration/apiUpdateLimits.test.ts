import { v7 as uuidv7 } from 'uuid';
import type { Raised } from '../../domain/paymentCalls';
import { rideWorkflowId } from '../../domain/names';
import type { Answer } from '../support/api';
import { apiStory, is, operator, problem, rider, type Person } from '../support/apiStory';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

// Temporal takes 2,000 Updates in a workflow's life and ten at once; nobody may use up those of a ride.
const story = apiStory({ policies: { holdPatienceSeconds: 5 } });
const { act, assignedRide, drivenRide, onlineDriver, operate } = story;

const card = { type: 'card', token: 'pm_card_visa' };
/** Further than the rides of these tests go: the hold has to be raised for it. */
const quote = (changesRideId: string) =>
  story.api.quote('rider-1', 60_000, { dropoff: { lat: 40.85, lng: -73.93 }, changesRideId });

/** How many Updates the ride's history has. */
async function updatesOf(rideId: string): Promise<number> {
  const { events } = await story.api.temporal.workflow.getHandle(rideWorkflowId(rideId)).fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes).length;
}

/** Asks so often, ten at a time; all answers are the same, which is returned. */
async function again(times: number, ask: () => Promise<Answer>): Promise<Answer> {
  const answers: Answer[] = [];
  while (answers.length < times) answers.push(...(await Promise.all(Array.from({ length: 10 }, ask))));
  const known = ({ status, body: { requestId: _, ...body } }: Answer) => ({ status, body });
  for (const answer of answers) expect(known(answer)).toEqual(known(answers[0]!));
  return answers[0]!;
}

const answerTo = (rideId: string, changeId: string, answer: string, as: Person) =>
  act(rideId, `route-changes/${changeId}/${answer}`, as, answer === 'decline' ? {} : undefined);

test('what the committed ride refuses is in no history, however often it is asked, and the ride is completed', async () => {
  const driver = await onlineDriver('spent-1');
  const rideId = await drivenRide(driver);
  const before = await updatesOf(rideId);
  for (const [answer, as] of [
    ['withdraw', rider],
    ['accept', driver],
    ['decline', driver],
  ] as const) {
    const refused = await again(100, () => answerTo(rideId, uuidv7(), answer, as));
    expect([answer, problem(refused)]).toEqual([answer, is(409, 'route_change_over')]);
  }
  for (const as of [rider, driver]) {
    const refused = await again(100, () => act(rideId, 'cancel', as, {}));
    expect(problem(refused)).toEqual(is(409, 'illegal_transition'));
  }
  expect(await updatesOf(rideId)).toBe(before);
  expect((await act(rideId, 'complete', driver)).body).toMatchObject({ status: 'completed' });
});

test('what was answered is answered the same when it is repeated, from what is committed', async () => {
  const driver = await onlineDriver('spent-2');
  const rideId = await drivenRide(driver, card);
  const [withdrawn, declined] = [await quote(rideId), await quote(rideId)];
  const [unpaid, applied] = [await quote(rideId), await quote(rideId)];
  const propose = ({ token }: { token: string }) =>
    act(rideId, 'route-changes', rider, { quoteToken: token });
  const asks: [number, () => Promise<Answer>][] = [];
  const ask = async (status: number, asking: () => Promise<Answer>): Promise<void> => {
    expect((await asking()).status).toBe(status);
    asks.push([status, asking]);
  };
  await propose(withdrawn);
  await ask(200, () => answerTo(rideId, withdrawn.quoteId, 'withdraw', rider));
  await propose(declined);
  await ask(200, () => answerTo(rideId, declined.quoteId, 'decline', driver));
  await propose(unpaid);
  story.api.provider.next('raiseHold', () => Promise.resolve({ raised: false, reason: 'card_declined' }));
  await ask(402, () => answerTo(rideId, unpaid.quoteId, 'accept', driver));
  await propose(applied);
  await ask(200, () => answerTo(rideId, applied.quoteId, 'accept', driver));
  await ask(200, () => propose(withdrawn));
  const before = await updatesOf(rideId);
  for (const [status, asking] of asks) expect((await again(20, asking)).status).toBe(status);
  expect(await updatesOf(rideId)).toBe(before);
  expect((await act(rideId, 'complete', driver)).body).toMatchObject({ status: 'completed' });
});

describe('while the provider does not answer', () => {
  type Adjust = (totalMinor: number) => Promise<Answer>;
  /** A ride whose fare is being raised, and the answer that the operator waits for. */
  async function raising(driverId: string, then: (adjust: Adjust) => Promise<void>) {
    const rideId = await assignedRide(await onlineDriver(driverId), card);
    const adjust = (totalMinor: number) => operate(rideId, 'fare', { totalMinor, reason: 'detour' });
    const late = story.api.provider.late<'raiseHold', Raised>('raiseHold');
    const first = adjust(50_000);
    try {
      await late.asked;
      await then(adjust);
      const cancelled = await act(rideId, 'cancel', operator, {});
      expect(cancelled.body).toMatchObject({ status: 'cancelled' });
    } finally {
      late.release({ raised: true });
    }
    expect((await first).status).not.toBe(200);
    await eventually(() => Promise.resolve(story.api.provider.asked(rideId).includes('void') || undefined));
  }

  test('one change of the fare waits for it at a time, and a cancel gets through', () =>
    raising('silent-1', async (adjust) => {
      const others = await Promise.all(Array.from({ length: 12 }, (_, i) => adjust(50_001 + i)));
      for (const other of others) expect(problem(other)).toEqual(is(409, 'fare_change_under_way'));
    }));

  test('whoever waits for it is let go, and another fare can be tried', () =>
    raising('silent-2', async (adjust) => {
      const lower = await eventually(async () => {
        const answer = await adjust(100);
        return answer.status === 200 ? answer : undefined;
      }, 20_000);
      expect(lower.body).toMatchObject({ fare: { totalMinor: 100 } });
    }));
});
