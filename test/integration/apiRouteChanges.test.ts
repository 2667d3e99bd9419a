import { latLngToCell } from 'h3-js';
import { v7 as uuidv7 } from 'uuid';
import type { QuoteView } from '../../contracts/api/quotes';
import type { Answer, Body } from '../support/api';
import { apiStory, is, problem, rider, type Person } from '../support/apiStory';

const story = apiStory();
const { act, assignedRide, drivenRide, onlineDriver, requestRide } = story;

const pickup = { lat: 40.73, lng: -73.99 };
const stop = { lat: 40.74, lng: -73.98 };
const elsewhere = { lat: 40.75, lng: -73.96 };

const propose = (rideId: string, quoteToken: string, as: Person = rider): Promise<Answer> =>
  act(rideId, 'route-changes', as, { quoteToken });
const answerTo = (rideId: string, changeId: string, answer: string, as: Person, body?: object) =>
  act(rideId, `route-changes/${changeId}/${answer}`, as, body);
const quote = async (changesRideId: string, changes = {}) =>
  story.api.quote('rider-1', 60_000, { stops: [stop], dropoff: elsewhere, changesRideId, ...changes });
const askFor = (changes: object, as: Person = rider): Promise<Answer> =>
  story.api.call('POST', '/v1/quotes', { as, body: { pickup, dropoff: elsewhere, ...changes } });
const reschedule = (rideId: string, quoteToken: string): Promise<Answer> =>
  story.api.call('PATCH', `/v1/rides/${rideId}`, { as: rider, body: { quoteToken } });
async function bookedRide(): Promise<string> {
  const scheduledFor = new Date(Date.now() + 7_200_000).toISOString();
  const { token } = await story.api.quote('rider-1', 60_000, { scheduledFor });
  return (await requestRide(token)).body.rideId;
}
const ride = async (rideId: string): Promise<Body> =>
  (await story.api.call('GET', `/v1/rides/${rideId}`, { as: rider })).body;

describe('a change of the route', () => {
  test('is proposed with a quote, accepted, and its stops reached in order; what is charged is its fare', async () => {
    const driver = await onlineDriver('driver-1');
    const rideId = await drivenRide(driver);
    const { token, quoteId, fare } = await quote(rideId);
    const proposed = await propose(rideId, token);
    expect(proposed).toMatchObject({
      status: 200,
      body: { routeChange: { changeId: quoteId, stops: [stop] } },
    });
    expect((await propose(rideId, token)).body).toEqual(proposed.body);
    const accepted = await answerTo(rideId, quoteId, 'accept', driver);
    expect(accepted.body).toMatchObject({ routeChange: null, stops: [stop], dropoff: elsewhere, fare });
    expect((await answerTo(rideId, quoteId, 'accept', driver)).body).toEqual(accepted.body);
    expect(problem(await act(rideId, 'stops/2/reached', driver))).toEqual(is(409, 'stop_out_of_order'));
    const reached = await act(rideId, 'stops/1/reached', driver);
    expect(reached.body).toMatchObject({ stopsReached: 1 });
    expect((await act(rideId, 'stops/1/reached', driver)).body).toEqual(reached.body);
    const ended = await act(rideId, 'complete', driver);
    expect(ended.body).toMatchObject({ status: 'completed', chargeMinor: fare.totalMinor });
  });

  test('is declined by the driver, or withdrawn by the rider', async () => {
    const driver = await onlineDriver('driver-2');
    const rideId = await drivenRide(driver);
    const before = await ride(rideId);
    const [first, second] = [await quote(rideId), await quote(rideId)];
    await propose(rideId, first.token);
    expect((await answerTo(rideId, first.quoteId, 'decline', driver, { reason: 'traffic' })).status).toBe(
      200,
    );
    await propose(rideId, second.token);
    expect((await answerTo(rideId, second.quoteId, 'withdraw', rider)).status).toBe(200);
    expect(problem(await answerTo(rideId, second.quoteId, 'accept', driver))).toEqual(
      is(409, 'route_change_over'),
    );
    const { fare, dropoff, stops } = before;
    expect(await ride(rideId)).toMatchObject({ fare, dropoff, stops, routeChange: null });
  });
});

describe('a change has the surge that its ride was booked with', () => {
  const surgeIs = (multiplier: number) =>
    story.api.pricing.query(
      `insert into surges (cell, multiplier, valid_until) values ($1, $2, now() + interval '1 hour')
       on conflict (cell) do update set multiplier = excluded.multiplier`,
      [latLngToCell(pickup.lat, pickup.lng, 8), multiplier],
    );
  afterEach(() => story.api.pricing.query('delete from surges'));

  /** A ride under way that was booked at this surge. */
  async function rideBookedAt(surge: number, driver: Person): Promise<string> {
    await surgeIs(surge);
    const rideId = await drivenRide(driver);
    const { rows } = await story.api.rides.query<{ surge: number }>(
      `select state -> 'surge' as surge from rides where ride_id = $1`,
      [rideId],
    );
    expect(rows).toEqual([{ surge }]);
    return rideId;
  }

  test.each([
    ['falls', 1.5, 1],
    ['rises', 1, 1.5],
  ])('when surge %s meanwhile', async (what, booked, meanwhile) => {
    const driver = await onlineDriver(`driver-surge-${what}`);
    const rideId = await rideBookedAt(booked, driver);
    const { body: atBooking } = await askFor({});
    await surgeIs(meanwhile);
    const { body: ofNewRide } = await askFor({});
    const { body } = await askFor({ changesRideId: rideId });
    const change = body as unknown as QuoteView;
    expect([atBooking['surge'], ofNewRide['surge'], change.surge]).toEqual([booked, meanwhile, booked]);
    // On the same way all that differs is surge, and what is a share of it.
    expect(change.fare).toEqual(atBooking['fare']);
    expect(change.fare).not.toEqual(ofNewRide['fare']);
    await propose(rideId, change.token);
    const accepted = await answerTo(rideId, change.quoteId, 'accept', driver);
    expect(accepted.body).toMatchObject({ dropoff: elsewhere, fare: change.fare });
    const ended = await act(rideId, 'complete', driver);
    expect(ended.body).toMatchObject({ chargeMinor: change.fare.totalMinor });
  });
});

describe('what is refused, and changes nothing', () => {
  test('quotes that are not for this ride', async () => {
    const driver = await onlineDriver('driver-3');
    const rideId = await drivenRide(driver);
    const before = await ride(rideId);
    const others = await story.api.quote('rider-2', 60_000, { changesRideId: rideId });
    const expired = await story.api.quote('rider-1', -60_000, { changesRideId: rideId });
    const from = await quote(rideId, { pickup: elsewhere, dropoff: stop, stops: [] });
    const larger = await quote(rideId, { product: 'xl' });
    const forRide = await story.api.quote('rider-1');
    const forAnother = await quote(uuidv7());
    expect(problem(await propose(rideId, others.token))).toEqual(is(400, 'quote_invalid'));
    expect(problem(await propose(rideId, 'a.b.c'))).toEqual(is(400, 'quote_invalid'));
    expect(problem(await propose(rideId, expired.token))).toEqual(is(409, 'quote_expired'));
    expect(problem(await propose(rideId, from.token))).toEqual(is(409, 'route_change_not_possible'));
    expect(problem(await propose(rideId, larger.token))).toEqual(is(409, 'route_change_not_possible'));
    expect(problem(await propose(rideId, forRide.token))).toEqual(is(400, 'quote_invalid'));
    expect(problem(await propose(rideId, forAnother.token))).toEqual(is(400, 'quote_invalid'));
    expect(problem(await act(rideId, 'route-changes', rider, { token: 'x' }))).toEqual(
      is(400, 'validation_failed'),
    );
    expect(await ride(rideId)).toEqual(before);
  });

  test('a ride asked for, or a ride for later changed, with a quote for a change: its surge is another time’s', async () => {
    const rideId = await drivenRide(await onlineDriver('driver-4'));
    const { token } = await quote(rideId);
    expect(problem(await requestRide(token))).toEqual(is(400, 'quote_invalid'));
    expect(problem(await reschedule(await bookedRide(), token))).toEqual(is(400, 'quote_invalid'));
    expect((await propose(rideId, token)).status).toBe(200);
  });

  test('a quote for a change of somebody else’s ride', async () => {
    const rideId = await drivenRide(await onlineDriver('driver-7'));
    const answer = await askFor({ changesRideId: rideId }, ['rider', 'rider-2']);
    expect(problem(answer)).toEqual(is(404, 'ride_not_found'));
  });

  test('at the wrong time, by the wrong one, of an unknown change or stop', async () => {
    const driver = await onlineDriver('driver-5');
    const rideId = await assignedRide(driver);
    const early = await quote(rideId);
    expect(problem(await propose(rideId, early.token))).toEqual(is(409, 'illegal_transition'));
    expect(problem(await act(rideId, 'stops/1/reached', driver))).toEqual(is(409, 'illegal_transition'));
    await act(rideId, 'arrive', driver);
    await act(rideId, 'start', driver, { code: (await ride(rideId)).startCode });
    // The quote was not used up by what was refused.
    expect((await propose(rideId, early.token)).status).toBe(200);
    const other: Person = ['driver', 'driver-6'];
    const { quoteId } = early;
    expect(problem(await answerTo(rideId, quoteId, 'accept', other))).toEqual(is(404, 'ride_not_found'));
    expect(problem(await answerTo(rideId, quoteId, 'accept', rider))).toEqual(is(403, 'forbidden'));
    expect(problem(await propose(rideId, early.token, ['rider', 'rider-2']))).toEqual(
      is(404, 'ride_not_found'),
    );
    for (const unknown of [uuidv7(), '42'])
      expect(problem(await answerTo(rideId, unknown, 'accept', driver))).toEqual(
        is(409, 'route_change_over'),
      );
    for (const wrong of ['0', 'x', '1.5'])
      expect(problem(await act(rideId, `stops/${wrong}/reached`, driver))).toEqual(
        is(400, 'validation_failed'),
      );
    await act(rideId, 'complete', driver);
    expect((await ride(rideId)).routeChange).toBeNull();
    for (const late of [
      await propose(rideId, early.token),
      await answerTo(rideId, quoteId, 'accept', driver),
      await answerTo(rideId, quoteId, 'withdraw', rider),
      await act(rideId, 'stops/1/reached', driver),
    ])
      expect(problem(late)).toEqual(is(409, 'illegal_transition'));
  });
});
