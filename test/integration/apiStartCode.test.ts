import type { Answer } from '../support/api';
import { apiStory, is, problem, rider, type Person } from '../support/apiStory';
import { openEvents } from '../support/events';

jest.setTimeout(60_000);

const story = apiStory();
const { onlineDriver, assignedRide, act, operate, codeOf } = story;

/** A ride whose driver waits at the pickup, its code, and codes that are not. */
async function atThePickup(driver: Person) {
  const rideId = await assignedRide(driver);
  expect((await act(rideId, 'arrive', driver)).status).toBe(200);
  const code = await codeOf(rideId);
  const start = (given: string): Promise<Answer> => act(rideId, 'start', driver, { code: given });
  const wrong = Array.from({ length: 201 }, (_, i) => String(i).padStart(4, '0'))
    .filter((guess) => guess !== code)
    .slice(0, 200);
  return { rideId, code, start, wrong };
}

test('a few wrong codes are forgiven, and a repeat of the right one is answered as the first', async () => {
  const { code, start, wrong } = await atThePickup(await onlineDriver('code-1'));
  for (const [i, guess] of wrong.slice(0, 4).entries()) {
    const answer = await start(guess);
    expect(problem(answer)).toEqual(is(409, 'wrong_start_code'));
    expect(answer.body).toMatchObject({ triesLeft: 4 - i });
  }
  for (const { status, body } of [...(await Promise.all([start(code), start(code)])), await start(code)]) {
    expect([status, body.status]).toEqual([200, 'in_progress']);
  }
  // Wrong ones after the start take nothing away from it.
  for (const guess of wrong.slice(0, 6)) expect((await start(guess)).status).toBe(409);
  expect((await start(code)).body).toMatchObject({ status: 'in_progress' });
});

test('of two hundred guesses at once five are heard; then the right one is not either', async () => {
  const { rideId, code, start, wrong } = await atThePickup(await onlineDriver('code-2'));
  const answers = await Promise.all(wrong.map(start));
  const heard = answers.filter(({ body }) => body.type === '/problems/wrong_start_code');
  const locked = answers.filter(({ body }) => body.type === '/problems/start_code_locked');
  expect([heard.length, locked.length]).toEqual([5, 195]);
  expect(heard.map(({ body }) => body['triesLeft']).sort()).toEqual([0, 1, 2, 3, 4]);
  expect(problem(await start(code))).toEqual(is(409, 'start_code_locked'));
  // The ride goes on by an operator's word; the driver's late right code finds it started.
  const started = await operate(rideId, 'start', { reason: 'the rider called' });
  expect(started.body).toMatchObject({ status: 'in_progress' });
  expect((await operate(rideId, 'start', { reason: 'again' })).body).toEqual(started.body);
  expect((await start(code)).body).toMatchObject({ status: 'in_progress' });
  const { rows } = await story.api.rides.query<{ data: object }>(
    `select fact -> 'data' as data from steps where aggregate_id = $1 and fact_type = 'ride.started'`,
    [rideId],
  );
  expect(rows).toMatchObject([{ data: { driverId: 'code-2', by: 'operator', reason: 'the rider called' } }]);
});

test('guesses before the pickup count, and the next driver has tries of their own', async () => {
  const guesser = await onlineDriver('code-3');
  const rideId = await assignedRide(guesser);
  const code = await codeOf(rideId);
  const other = code === '0000' ? '0001' : '0000';
  for (let i = 0; i < 5; i++) await act(rideId, 'start', guesser, { code: other });
  expect(problem(await act(rideId, 'start', guesser, { code }))).toEqual(is(409, 'start_code_locked'));
  const next = await onlineDriver('code-4');
  const offers = await openEvents(story.api, '/v1/drivers/me/offers', next);
  await operate(rideId, 'reassign', { driverId: 'code-3', reason: 'guesses' });
  const { offerId } = (await offers.next('offer')).data;
  expect((await story.api.call('POST', `/v1/offers/${offerId}/accept`, { as: next })).status).toBe(200);
  offers.close();
  await act(rideId, 'arrive', next);
  expect(problem(await act(rideId, 'start', next, { code: other }))).toEqual(is(409, 'wrong_start_code'));
  expect((await act(rideId, 'start', next, { code })).body).toMatchObject({ status: 'in_progress' });
});

test('only an operator starts without the code, and only at the pickup', async () => {
  const rideId = await assignedRide(await onlineDriver('code-5'));
  expect(problem(await operate(rideId, 'start', { reason: 'x' }))).toEqual(is(409, 'illegal_transition'));
  expect(problem(await operate(rideId, 'start', {}))).toEqual(is(400, 'validation_failed'));
  const path = `/v1/ops/rides/${rideId}/start`;
  const answer = await story.api.call('POST', path, { as: rider, body: { reason: 'x' } });
  expect(problem(answer)).toEqual(is(403, 'forbidden'));
});
