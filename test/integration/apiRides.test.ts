import { freshKey } from '../support/api';
import { apiStory, cash, is, operator, problem, rider } from '../support/apiStory';
import { openEvents } from '../support/events';
import { eventually } from '../support/rideSaga';

jest.setTimeout(30_000);

const story = apiStory();
const { requestRide, newRide, onlineDriver, assignedRide, act, codeOf, written } = story;

/** A ride that looks for a driver. */
async function matchingRide(): Promise<string> {
  const rideId = await newRide();
  await eventually(async () => {
    const { body } = await story.api.call('GET', `/v1/rides/${rideId}`, { as: rider });
    return body.status === 'matching' ? body : undefined;
  });
  return rideId;
}

describe('the same Idempotency-Key', () => {
  test('sent twice at once is one ride with one answer', async () => {
    const { token } = await story.api.quote('rider-1');
    const key = freshKey();
    const before = await written();
    const answers = await Promise.all(Array.from({ length: 5 }, () => requestRide(token, key)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
    const [first, ...others] = answers.map(({ body }) => JSON.stringify(body));
    for (const other of others) expect(other).toBe(first);
    const { claims, rides } = await written();
    expect({ claims, rides }).toEqual({ claims: before.claims! + 1, rides: before.rides! + 1 });
  });

  test('with another body is refused, before and after the answer, and changes nothing', async () => {
    const { token } = await story.api.quote('rider-1');
    const key = freshKey();
    expect((await requestRide(token, key)).status).toBe(201);
    const before = (await written()).claims;
    const card = { type: 'card', token: 'pm_card_visa' };
    expect(problem(await requestRide(token, key, card))).toEqual(is(422, 'idempotency_key_reused'));
    expect(problem(await requestRide('another', key))).toEqual(is(422, 'idempotency_key_reused'));
    expect((await written()).claims).toBe(before);
  });

  test('is answered the same when the quote has expired and the ride has ended since', async () => {
    const { token } = await story.api.quote('rider-1');
    const key = freshKey();
    const first = await requestRide(token, key);
    const cancelled = await act(first.body.rideId, 'cancel', rider, {});
    expect(cancelled.body).toMatchObject({ status: 'cancelled', endReason: 'changed_mind' });
    story.api.clockMs = 3_600_000;
    try {
      const repeat = await requestRide(token, key);
      expect(JSON.stringify(repeat.body)).toBe(JSON.stringify(first.body));
      // As if the gateway had died before it kept the answer; the workflow is over by now.
      await story.api.rides.query('update claims set answer = null where idempotency_key = $1', [key]);
      const again = await requestRide(token, key);
      expect([again.status, JSON.stringify(again.body)]).toEqual([201, JSON.stringify(first.body)]);
      // And without Temporal, which has forgotten the ride after its retention anyway.
      await story.api.rides.query('update claims set answer = null where idempotency_key = $1', [key]);
      const url = await story.api.withoutTemporal();
      const later = await requestRide(token, key, cash, url);
      expect([later.status, JSON.stringify(later.body)]).toEqual([201, JSON.stringify(first.body)]);
    } finally {
      story.api.clockMs = 0;
    }
  });

  test('goes on with a request that crashed half way, and no other quote, key or ride comes of it', async () => {
    const { token, quoteId } = await story.api.quote('rider-1');
    const key = freshKey();
    const url = await story.api.withoutTemporal();
    const call = {
      as: rider,
      body: { quoteToken: token, paymentMethod: cash },
      headers: { 'idempotency-key': key },
    };
    const crashed = await story.api.call('POST', '/v1/rides', { ...call, url });
    expect(problem(crashed)).toEqual(is(503, 'dependency_unavailable'));
    expect(crashed.headers.get('retry-after')).toBe('1');
    const { rows } = await story.api.rides.query(
      'select ride_id as "rideId" from claims where quote_id = $1',
      [quoteId],
    );
    const answer = await story.api.call('POST', '/v1/rides', call);
    expect(answer.status).toBe(201);
    expect(answer.body.rideId).toBe(rows[0].rideId);
  });

  test('a quote is good for one ride: another key is refused', async () => {
    const { token } = await story.api.quote('rider-1');
    expect((await requestRide(token)).status).toBe(201);
    const before = await written();
    expect(problem(await requestRide(token))).toEqual(is(409, 'quote_used'));
    expect((await written()).claims).toBe(before.claims);
  });
});

describe("somebody else's ride", () => {
  test('is the same 404 as an unknown one, whatever is asked of it', async () => {
    const rideId = await matchingRide();
    const unknown = await story.api.call('GET', '/v1/rides/01890a5d-ac96-774b-bcce-b302099a8057', {
      as: rider,
    });
    const { requestId: _, ...same } = unknown.body;
    const strangers = [
      ['GET', '', ['rider', 'rider-2'], undefined],
      ['GET', '', ['driver', 'driver-2'], undefined],
      ['GET', '/events', ['rider', 'rider-2'], undefined],
      ['POST', '/cancel', ['rider', 'rider-2'], {}],
      ['POST', '/cancel', ['driver', 'driver-2'], {}],
      ['POST', '/arrive', ['driver', 'driver-2'], undefined],
      ['POST', '/start', ['driver', 'driver-2'], { code: '0000' }],
      ['POST', '/tip', ['rider', 'rider-2'], { amountMinor: 100 }],
    ] as const;
    const before = (await written()).steps;
    for (const [method, path, as, body] of strangers) {
      const answer = await story.api.call(method, `/v1/rides/${rideId}${path}`, { as, body });
      expect(answer.status).toBe(404);
      expect(answer.body).toEqual({ ...same, requestId: answer.body.requestId });
    }
    expect((await written()).steps).toBe(before);
  });
});

describe('a ride', () => {
  test('goes from offer to drop-off over the API, and a repeated action is answered as the first', async () => {
    const driver = await onlineDriver('driver-a');
    const rideId = await assignedRide(driver);
    expect(problem(await act(rideId, 'start', driver, { code: await codeOf(rideId) }))).toEqual(
      is(409, 'illegal_transition'),
    );
    // Twice at once, and once more.
    const arrivals = await Promise.all([act(rideId, 'arrive', driver), act(rideId, 'arrive', driver)]);
    for (const { body } of [...arrivals, await act(rideId, 'arrive', driver)]) {
      expect(body).toMatchObject({ status: 'arrived', version: 4 });
    }
    const code = await codeOf(rideId);
    const wrong = code === '0000' ? '0001' : '0000';
    expect(problem(await act(rideId, 'start', driver, { code: wrong }))).toEqual(is(409, 'wrong_start_code'));
    expect(problem(await act(rideId, 'no-show', driver))).toEqual(is(409, 'no_show_too_early'));
    expect((await act(rideId, 'start', driver, { code })).body).toMatchObject({ status: 'in_progress' });
    expect(problem(await act(rideId, 'cancel', rider, {}))).toEqual(is(409, 'illegal_transition'));
    for (let i = 0; i < 2; i++) {
      const { body } = await act(rideId, 'complete', driver);
      expect(body).toMatchObject({ status: 'completed', version: 6, driverId: 'driver-a' });
      expect(body).not.toHaveProperty('startCode');
    }
    expect(problem(await act(rideId, 'cancel', operator, {}))).toEqual(is(409, 'illegal_transition'));
  });

  test('given back by its driver is in matching again, and its driver sees no more of it', async () => {
    const driver = await onlineDriver('driver-b');
    const rideId = await assignedRide(driver);
    for (let i = 0; i < 2; i++) {
      const { status, body } = await act(rideId, 'cancel', driver, { reason: 'flat_tyre' });
      expect([status, body.status, body.driverId]).toEqual([200, 'matching', null]);
    }
    expect((await story.api.call('GET', `/v1/rides/${rideId}`, { as: driver })).status).toBe(404);
  });

  test('an accept after the offer is over is refused; the others are told', async () => {
    const [one, two] = [await onlineDriver('driver-c'), await onlineDriver('driver-d')];
    const streams = [
      await openEvents(story.api, '/v1/drivers/me/offers', one),
      await openEvents(story.api, '/v1/drivers/me/offers', two),
    ] as const;
    await newRide();
    const [first, second] = [await streams[0].next('offer'), await streams[1].next('offer')];
    expect(
      (await story.api.call('POST', `/v1/offers/${first.data.offerId}/accept`, { as: one })).status,
    ).toBe(200);
    expect(await streams[1].next('offer_over')).toMatchObject({ data: { offerId: second.data.offerId } });
    const before = await written();
    const late = await story.api.call('POST', `/v1/offers/${second.data.offerId}/accept`, { as: two });
    expect(problem(late)).toEqual(is(409, 'offer_over'));
    const stolen = await story.api.call('POST', `/v1/offers/${first.data.offerId}/accept`, { as: two });
    expect(problem(stolen)).toEqual(is(404, 'offer_not_found'));
    expect(await written()).toEqual(before);
    for (const stream of streams) stream.close();
  });

  test('declined by everybody goes to the next batch at once', async () => {
    const driver = await onlineDriver('driver-e');
    const offers = await openEvents(story.api, '/v1/drivers/me/offers', driver);
    const rideId = await newRide();
    const offer = await offers.next('offer');
    const startedAt = Date.now();
    const next = await onlineDriver('driver-f');
    const nextOffers = await openEvents(story.api, '/v1/drivers/me/offers', next);
    await story.api.call('POST', `/v1/offers/${offer.data.offerId}/decline`, { as: driver });
    expect((await nextOffers.next('offer')).data.rideId).toBe(rideId);
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    offers.close();
    nextOffers.close();
  });
});

describe("a ride's event stream", () => {
  test('tells everything once, goes on after Last-Event-ID, and ends with the ride', async () => {
    const rideId = await newRide();
    const path = `/v1/rides/${rideId}/events`;
    const stream = await openEvents(story.api, path, rider);
    expect(await stream.next()).toMatchObject({ id: '1', event: 'ride.requested' });
    const matching = await stream.next();
    expect(matching).toMatchObject({ id: '2', event: 'ride.matching_started', data: { version: 2 } });
    expect(matching.data.ride).toMatchObject({ rideId, status: 'matching', version: 2 });
    expect(matching.data.ride.startCode).toMatch(/^\d{4}$/);
    stream.close();

    await act(rideId, 'cancel', rider, { reason: 'rain' });
    const resumed = await openEvents(story.api, path, rider, '2');
    const last = await resumed.next();
    expect(last).toMatchObject({ id: '3', event: 'ride.cancelled', data: { ride: { endReason: 'rain' } } });
    expect(await resumed.ended()).toBe(true);

    const over = await story.api.call('GET', path, { as: rider, headers: { 'last-event-id': '3' } });
    expect(over.status).toBe(204);
  });

  test('reaches many followers live, from one poll', async () => {
    const rideId = await matchingRide();
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => openEvents(story.api, `/v1/rides/${rideId}/events`, rider)),
    );
    await act(rideId, 'cancel', rider, {});
    for (const stream of streams) {
      const events = [];
      while (!(await stream.ended())) events.push((await stream.next()).id);
      expect(events).toEqual(['1', '2', '3']);
    }
  });
});
