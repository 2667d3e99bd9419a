import { rideWorkflowId } from '../../domain/names';
import { standardPolicies } from '../../domain/policies';
import { createReschedule } from '../../services/rides/reschedule';
import { createAct } from '../../services/rides/rideActions';
import { getRide } from '../../services/rides/store';
import { freshKey, type Call } from '../support/api';
import { quoteSecret } from '../support/apiGateway';
import { apiStory, cash, is, operator, problem, rider } from '../support/apiStory';
import { eventually } from '../support/rideSaga';

jest.setTimeout(30_000);

// The pickup may be seconds ahead here, and is near as soon as it has come.
const story = apiStory({ policies: { scheduleMinAheadMs: 1_000, scheduleLeadMs: 0 } });

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

const request = async (body: object, key = freshKey()) => {
  const { token } = await story.api.quote('rider-1');
  const call = { as: rider, headers: { 'idempotency-key': key } };
  return story.api.call('POST', '/v1/rides', {
    ...call,
    body: { quoteToken: token, paymentMethod: cash, ...body },
  });
};
const scheduled = async (aheadMs: number): Promise<string> =>
  (await request({ scheduledFor: inMs(aheadMs) })).body.rideId;
const look = async (rideId: string) =>
  (await story.api.call('GET', `/v1/rides/${rideId}`, { as: rider })).body;
const change = (rideId: string, body: unknown, call: Call = { as: rider }) =>
  story.api.call('PATCH', `/v1/rides/${rideId}`, { body, ...call });
const until = (rideId: string, status: string) =>
  eventually(async () => {
    const ride = await look(rideId);
    return ride.status === status ? ride : undefined;
  }, 20_000);

describe('a ride for later', () => {
  test('is durable at once, begins by itself when its time comes, and is answered the same for its key', async () => {
    const { token } = await story.api.quote('rider-1');
    const [key, scheduledFor] = [freshKey(), inMs(4_000)];
    const body = { quoteToken: token, paymentMethod: cash, scheduledFor };
    const call = { as: rider, headers: { 'idempotency-key': key }, body };
    const answers = await Promise.all([1, 2, 3].map(() => story.api.call('POST', '/v1/rides', call)));
    const [first] = answers;
    expect(first).toMatchObject({ status: 201, body: { status: 'scheduled', scheduledFor } });
    for (const { body: other } of answers) expect(other).toEqual(first!.body);
    const { rideId } = first!.body;
    expect(await look(rideId)).toMatchObject({ status: 'scheduled', version: 1, scheduledFor });

    await until(rideId, 'matching');
    expect((await story.api.call('POST', '/v1/rides', call)).body).toEqual(first!.body);
  });

  test('takes its time from the quote, where the request says none', async () => {
    const scheduledFor = inMs(2 * HOUR);
    const body = { pickup: { lat: 40.73, lng: -73.99 }, dropoff: { lat: 40.76, lng: -73.97 }, scheduledFor };
    const quote = await story.api.call('POST', '/v1/quotes', { as: rider, body });
    const answer = await request({ quoteToken: quote.body['token'] });
    expect(answer.body).toMatchObject({ status: 'scheduled', scheduledFor });
  });

  test('is changed in its time, and with another quote in what it is; a repeat changes nothing more', async () => {
    const rideId = await scheduled(2 * HOUR);
    const scheduledFor = inMs(3 * HOUR);
    const moved = await change(rideId, { scheduledFor });
    expect(moved).toMatchObject({ status: 200, body: { status: 'scheduled', scheduledFor, version: 2 } });
    expect((await change(rideId, { scheduledFor })).body).toEqual(moved.body);

    const dropoff = { lat: 40.78, lng: -73.96 };
    const asked = { pickup: { lat: 40.73, lng: -73.99 }, dropoff, product: 'xl' };
    const quote = await story.api.call('POST', '/v1/quotes', { as: rider, body: asked });
    const quoteToken = quote.body['token'];
    const other = await change(rideId, { quoteToken });
    expect(other).toMatchObject({
      status: 200,
      body: { product: 'xl', dropoff, fare: quote.body['fare'], scheduledFor, version: 3 },
    });
    expect((await change(rideId, { quoteToken })).body).toEqual(other.body);
    expect(problem(await request({ quoteToken }))).toEqual(is(409, 'quote_used'));
  });

  test('is told of its change also when that is repeated after its time, and of no other', async () => {
    const rideId = await scheduled(3_000);
    const { token: quoteToken } = await story.api.quote('rider-1', 60_000, { product: 'xl' });
    const last = { quoteToken, scheduledFor: inMs(4_000) };
    expect((await change(rideId, last)).status).toBe(200);
    await until(rideId, 'matching');
    const repeated = await change(rideId, last);
    expect(repeated).toMatchObject({ status: 200, body: { status: 'matching', product: 'xl' } });
    const other = await change(rideId, { scheduledFor: inMs(5_000) });
    expect(problem(other)).toEqual(is(409, 'illegal_transition'));
  });

  test('keeps both of two changes that know nothing of each other, in any order', async () => {
    const { rides: pool, temporal } = story.api;
    const policies = { ...standardPolicies, scheduleMinAheadMs: 1_000 };
    const act = createAct({ pool, temporal, policies, deadlineMs: 20_000 });
    const reschedule = createReschedule({ pool, act, quoteSecret, policies, now: Date.now });
    for (const order of ['time first', 'quote first', 'at once']) {
      const rideId = await scheduled(2 * HOUR);
      const asRead = (await getRide(pool, rideId))!;
      const { token: quoteToken, quoteId } = await story.api.quote('rider-1', 60_000, { product: 'xl' });
      const scheduledFor = inMs(3 * HOUR);
      const changes = [{ scheduledFor }, { quoteToken }];
      if (order === 'quote first') changes.reverse();
      if (order === 'at once') await Promise.all(changes.map((body) => reschedule(asRead, body)));
      else for (const body of changes) await reschedule(asRead, body);
      const both = { scheduledFor, quoteId, product: 'xl', status: 'scheduled', version: 3 };
      expect(await getRide(pool, rideId)).toMatchObject(both);
    }
  });

  test('is cancelled for nothing, by its rider or an operator', async () => {
    for (const as of [rider, operator]) {
      const rideId = await scheduled(2 * HOUR);
      const cancelled = await story.act(rideId, 'cancel', as, {});
      expect(cancelled).toMatchObject({ status: 200, body: { status: 'cancelled', chargeMinor: 0 } });
      expect((await story.act(rideId, 'cancel', as, {})).body).toEqual(cancelled.body);
      expect(problem(await change(rideId, { scheduledFor: inMs(HOUR) }))).toEqual(
        is(409, 'illegal_transition'),
      );
    }
  });

  test('that should have begun and has not is listed as stuck, with the workflow that has it', async () => {
    const rideId = await scheduled(2 * HOUR);
    const stuck = async (clockMs: number) => {
      story.api.clockMs = clockMs;
      const { body } = await story.api.call('GET', '/v1/ops/rides/stuck', { as: operator });
      return (body['rides'] as { rideId: string }[]).find((ride) => ride.rideId === rideId);
    };
    try {
      expect(await stuck(2 * HOUR + 60_000)).toBeUndefined();
      expect(await stuck(2 * HOUR + 180_000)).toMatchObject({ workflowId: `scheduled-${rideId}` });
    } finally {
      story.api.clockMs = 0;
    }
  });

  test('costs nothing to cancel at any moment of its beginning, and is never blocked', async () => {
    const row = async (rideId: string) => (await getRide(story.api.rides, rideId))!;
    const hasBegun = (rideId: string): Promise<boolean> =>
      story.api.temporal.workflow
        .getHandle(rideWorkflowId(rideId))
        .describe()
        .then(
          () => true,
          () => false,
        );
    // Whichever workflow has it by then answers.
    const moments = [
      () => Promise.resolve(true),
      async (rideId: string) => Date.parse((await row(rideId)).scheduledFor!) <= Date.now(),
      async (rideId: string) => (await row(rideId)).status !== 'scheduled',
      hasBegun,
      async (rideId: string) => (await row(rideId)).status === 'matching',
    ];
    const cancels = [...moments, ...moments].map(async (isNow) => {
      const rideId = await scheduled(3_000);
      await eventually(async () => (await isNow(rideId)) || undefined);
      return story.act(rideId, 'cancel', rider, {});
    });
    for (const answer of await Promise.all(cancels))
      expect(answer).toMatchObject({ status: 200, body: { status: 'cancelled', chargeMinor: 0 } });
  });
});

describe('bad input is a problem with its own type, and changes nothing', () => {
  test.each([
    ['in the past', 'scheduled_too_soon', () => inMs(-HOUR)],
    ['at once', 'scheduled_too_soon', () => inMs(0)],
    ['more than 30 days ahead', 'scheduled_too_late', () => inMs(30 * DAY + HOUR)],
    ['in words', 'validation_failed', () => 'tomorrow'],
    ['on a day that does not exist', 'validation_failed', () => '2026-02-30T10:00:00.000Z'],
    ['without a time zone', 'validation_failed', () => inMs(HOUR).replace('Z', '')],
    ['as a number', 'validation_failed', () => Date.now() + HOUR],
    ['null', 'validation_failed', () => null],
  ])('a pickup %s', async (_what, code, when) => {
    const rideId = await scheduled(2 * HOUR);
    const before = await story.written();
    const asked = await request({ scheduledFor: when() });
    expect(problem(asked)).toEqual(is(400, code));
    expect(problem(await change(rideId, { scheduledFor: when() }))).toEqual(is(400, code));
    expect(await story.written()).toEqual({ ...before, quotes: before['quotes']! + 1 });
  });

  test('a change of nothing, of what cannot be changed, without a role, of no ride, of somebody else’s', async () => {
    const rideId = await scheduled(2 * HOUR);
    const when = { scheduledFor: inMs(3 * HOUR) };
    const before = await story.written();
    const unknownId = '01890a5d-ac96-774b-bcce-b302099a8057';
    expect(problem(await change(rideId, {}))).toEqual(is(400, 'validation_failed'));
    expect(problem(await change(rideId, { ...when, fare: 1 }))).toEqual(is(400, 'validation_failed'));
    expect(problem(await change(rideId, [when]))).toEqual(is(400, 'validation_failed'));
    expect(problem(await change(rideId, { quoteToken: 'a.b.c' }))).toEqual(is(400, 'quote_invalid'));
    expect(problem(await change(rideId, when, {}))).toEqual(is(401, 'unauthenticated'));
    expect(problem(await change(rideId, when, { as: ['driver', 'd'] }))).toEqual(is(403, 'forbidden'));
    expect(problem(await change(rideId, when, { as: ['rider', 'rider-2'] }))).toEqual(
      is(404, 'ride_not_found'),
    );
    expect(problem(await change(unknownId, when))).toEqual(is(404, 'ride_not_found'));
    expect(problem(await change('42', when))).toEqual(is(404, 'ride_not_found'));
    expect(await story.written()).toEqual(before);
  });

  test('a change with a quote that was used, has expired, or is another rider’s', async () => {
    const rideId = await scheduled(2 * HOUR);
    const used = await story.api.quote('rider-1');
    await request({ quoteToken: used.token, scheduledFor: inMs(HOUR) });
    const expired = await story.api.quote('rider-1', -60_000);
    const others = await story.api.quote('rider-2');
    expect(problem(await change(rideId, { quoteToken: used.token }))).toEqual(is(409, 'quote_used'));
    expect(problem(await change(rideId, { quoteToken: expired.token }))).toEqual(is(409, 'quote_expired'));
    expect(problem(await change(rideId, { quoteToken: others.token }))).toEqual(is(400, 'quote_invalid'));
    expect(await look(rideId)).toMatchObject({ version: 1 });
  });

  test('a change of a ride that is under way, and what only rides under way can do', async () => {
    const now = await story.newRide();
    expect(problem(await change(now, { scheduledFor: inMs(HOUR) }))).toEqual(is(409, 'illegal_transition'));
    const later = await scheduled(2 * HOUR);
    const ends = await story.act(later, 'end', rider, {});
    expect(problem(ends)).toEqual(is(409, 'illegal_transition'));
    const tip = await story.act(later, 'tip', rider, { amountMinor: 100 });
    expect(problem(tip)).toEqual(is(409, 'tip_not_possible'));
  });
});
