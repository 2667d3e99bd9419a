import { freshKey, startApi, type Answer, type Api } from '../support/api';
import { openEvents } from '../support/events';
import { eventually } from '../support/rideSaga';

jest.setTimeout(20_000);

let api: Api;
const rider = ['rider', 'rider-1'] as const;
const cash = { type: 'cash' };

beforeAll(async () => {
  api = await startApi({ noShowAfterMs: 60_000, searchPauseMs: 100 });
}, 60_000);
afterAll(() => api?.stop(), 30_000);

/** No test's drivers get offers of another test's rides. */
afterEach(async () => {
  const { rows } = await api.rides.query<{ rideId: string }>(
    `select ride_id as "rideId" from rides where status not in ('completed', 'cancelled')`,
  );
  for (const { rideId } of rows) await act(rideId, 'cancel', ['operator', 'o'], {});
  for (const driverId of api.nearby.splice(0)) {
    await api.call('POST', '/v1/drivers/me/offline', { as: ['driver', driverId] });
  }
});

const problem = (answer: Answer): { status: number; type: string } => {
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  return { status: answer.status, type: answer.body.type };
};
const is = (status: number, code: string) => ({ status, type: `/problems/${code}` });

const requestRide = async (quoteToken: string, key = freshKey(), paymentMethod: unknown = cash) =>
  api.call('POST', '/v1/rides', {
    as: rider,
    body: { quoteToken, paymentMethod },
    headers: { 'idempotency-key': key },
  });

async function newRide(): Promise<string> {
  const answer = await requestRide((await api.quote('rider-1')).token);
  expect(answer.status).toBe(201);
  return answer.body.rideId;
}

async function onlineDriver(driverId: string): Promise<readonly ['driver', string]> {
  const as = ['driver', driverId] as const;
  await api.call('PUT', '/v1/drivers/me', { as, body: { name: driverId, plate: 'T-1' } });
  expect((await api.call('POST', '/v1/drivers/me/online', { as })).body).toMatchObject({ online: true });
  api.nearby.push(driverId);
  return as;
}

/** A ride that this driver has accepted. */
async function assignedRide(driver: readonly ['driver', string]): Promise<string> {
  const offers = await openEvents(api, '/v1/drivers/me/offers', driver);
  const rideId = await newRide();
  const offer = await offers.next('offer');
  expect(offer.data).toMatchObject({ rideId, paymentMethod: 'cash' });
  const accepted = await api.call('POST', `/v1/offers/${offer.data.offerId}/accept`, { as: driver });
  expect(accepted.body).toEqual({ offerId: offer.data.offerId, rideId, state: 'accepted' });
  expect(await offers.next('offer_over')).toMatchObject({ data: { offerId: offer.data.offerId } });
  offers.close();
  return rideId;
}

const act = (rideId: string, action: string, as: readonly [string, string], body?: unknown) =>
  api.call('POST', `/v1/rides/${rideId}/${action}`, { as, body });

const codeOf = async (rideId: string): Promise<string> =>
  (await api.call('GET', `/v1/rides/${rideId}`, { as: rider })).body.startCode;

/** How many rows every table has that a request may write. */
async function written(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of ['claims', 'rides', 'steps', 'outbox', 'drivers', 'offers']) {
    const { rows } = await api.rides.query(`select count(*) as count from ${table}`);
    counts[table] = rows[0].count;
  }
  const { rows } = await api.pricing.query('select count(*) as count from quotes');
  return { ...counts, quotes: rows[0].count };
}

describe('bad input is a problem with its own type, and nothing is written', () => {
  const trip = { pickup: { lat: 40.73, lng: -73.99 }, dropoff: { lat: 40.76, lng: -73.97 } };
  const key = { 'idempotency-key': 'a-key' };
  const unknownId = '01890a5d-ac96-774b-bcce-b302099a8057';

  test.each([
    ['an unknown field', 'validation_failed', 400, { ...trip, tip: 5 }],
    ['an unknown field inside', 'validation_failed', 400, { ...trip, pickup: { ...trip.pickup, alt: 1 } }],
    ['a wrong type', 'validation_failed', 400, { ...trip, pickup: { lat: '40.73', lng: -73.99 } }],
    ['a missing field', 'validation_failed', 400, { pickup: trip.pickup }],
    ['a latitude outside the world', 'validation_failed', 400, { ...trip, pickup: { lat: 90.1, lng: 0 } }],
    ['a longitude outside the world', 'validation_failed', 400, { ...trip, dropoff: { lat: 0, lng: -181 } }],
    ['a trip across an ocean', 'trip_too_long', 400, { ...trip, dropoff: { lat: 51.5, lng: 0 } }],
    ['a body over 64 KiB', 'body_too_large', 413, { ...trip, note: 'x'.repeat(65_536) }],
  ])('a quote for %s', async (_what, code, status, body) => {
    const before = await written();
    expect(problem(await api.call('POST', '/v1/quotes', { as: rider, body }))).toEqual(is(status, code));
    expect(await written()).toEqual(before);
  });

  test.each<[string, string, number, string, string, Parameters<Api['call']>[2]]>([
    ['broken JSON', 'malformed_json', 400, 'POST', '/v1/quotes', { as: rider, raw: '{"pickup":' }],
    [
      'another format',
      'unsupported_media_type',
      415,
      'POST',
      '/v1/quotes',
      { as: rider, raw: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ],
    ['no token', 'unauthenticated', 401, 'GET', `/v1/rides/${unknownId}`, {}],
    ['another role', 'forbidden', 403, 'GET', '/v1/ops/overview', { as: rider }],
    ['no such address', 'not_found', 404, 'GET', '/v1/nowhere', { as: rider }],
    ['an unknown ride', 'ride_not_found', 404, 'GET', `/v1/rides/${unknownId}`, { as: rider }],
    ['a malformed ride id', 'ride_not_found', 404, 'GET', '/v1/rides/42', { as: rider }],
    [
      'events of an unknown ride',
      'ride_not_found',
      404,
      'GET',
      `/v1/rides/${unknownId}/events`,
      { as: rider },
    ],
    [
      'an unknown offer',
      'offer_not_found',
      404,
      'POST',
      `/v1/offers/${unknownId}/accept`,
      { as: ['driver', 'd'] },
    ],
    [
      'a malformed offer id',
      'offer_not_found',
      404,
      'POST',
      '/v1/offers/42/decline',
      { as: ['driver', 'd'] },
    ],
    [
      'an unknown driver',
      'driver_unknown',
      404,
      'POST',
      '/v1/drivers/me/online',
      { as: ['driver', 'nobody'] },
    ],
    [
      'no Idempotency-Key',
      'validation_failed',
      400,
      'POST',
      '/v1/rides',
      { as: rider, body: { quoteToken: 'x', paymentMethod: cash } },
    ],
    [
      'a quote made by somebody else',
      'quote_invalid',
      400,
      'POST',
      '/v1/rides',
      { as: rider, headers: key, body: { quoteToken: 'a.b.c', paymentMethod: cash } },
    ],
    [
      'a card without a token',
      'validation_failed',
      400,
      'POST',
      '/v1/rides',
      { as: rider, headers: key, body: { quoteToken: 'x', paymentMethod: { type: 'card' } } },
    ],
  ])('%s', async (_what, code, status, method, path, call) => {
    const before = await written();
    expect(problem(await api.call(method, path, call))).toEqual(is(status, code));
    expect(await written()).toEqual(before);
  });

  test('a validation problem names every wrong field', async () => {
    const answer = await api.call('POST', '/v1/quotes', {
      as: rider,
      body: { ...trip, pickup: { lat: 91 }, a: 1 },
    });
    expect(answer.body.errors.map((error) => error.pointer).sort()).toEqual([
      '/a',
      '/pickup/lat',
      '/pickup/lng',
    ]);
  });

  test("an expired, a changed and another rider's quote", async () => {
    const expired = await api.quote('rider-1', -60_000);
    const { token } = await api.quote('rider-1');
    const [head, , signature] = token.split('.');
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
    const cheaper = { ...claims, fare: { ...claims.fare, totalMinor: 1 } };
    const changed = [head, Buffer.from(JSON.stringify(cheaper)).toString('base64url'), signature].join('.');
    const others = await api.quote('rider-2');
    const before = await written();
    expect(problem(await requestRide(expired.token))).toEqual(is(409, 'quote_expired'));
    expect(problem(await requestRide(changed))).toEqual(is(400, 'quote_invalid'));
    expect(problem(await requestRide(others.token))).toEqual(is(400, 'quote_invalid'));
    expect(await written()).toEqual(before);
  });

  test('too many positions at once', async () => {
    const at = new Date().toISOString();
    const positions = (count: number) =>
      Array.from({ length: count }, (_, sequence) => ({ lat: 40.7, lng: -73.9, sequence, at }));
    const as = ['driver', 'd'] as const;
    const send = (count: number) =>
      api.call('POST', '/v1/drivers/me/positions', { as, body: { positions: positions(count) } });
    expect((await send(3)).status).toBe(202);
    expect(problem(await send(101))).toEqual(is(400, 'validation_failed'));
    const full = await send(60);
    expect(problem(full)).toEqual(is(429, 'too_many_positions'));
    expect(full.headers.get('retry-after')).toBe('1');
  });

  test('a service that is away is 503 with Retry-After', async () => {
    const answer = await api.call('GET', '/v1/ops/demand', { as: ['operator', 'o'] });
    expect(problem(answer)).toEqual(is(503, 'dependency_unavailable'));
    expect(answer.headers.get('retry-after')).toBe('1');
  });

  test('every problem has a page', async () => {
    expect(
      (await api.call('GET', '/problems/quote_used', { headers: { accept: 'application/json' } })).body,
    ).toMatchObject({ status: 409 });
  });
});

describe('the same Idempotency-Key', () => {
  test('sent twice at once is one ride with one answer', async () => {
    const { token } = await api.quote('rider-1');
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
    const { token } = await api.quote('rider-1');
    const key = freshKey();
    expect((await requestRide(token, key)).status).toBe(201);
    const before = (await written()).claims;
    const card = { type: 'card', token: 'pm_card_visa' };
    expect(problem(await requestRide(token, key, card))).toEqual(is(422, 'idempotency_key_reused'));
    expect(problem(await requestRide('another', key))).toEqual(is(422, 'idempotency_key_reused'));
    expect((await written()).claims).toBe(before);
  });

  test('is answered the same when the quote has expired and the ride has ended since', async () => {
    const { token } = await api.quote('rider-1');
    const key = freshKey();
    const first = await requestRide(token, key);
    const cancelled = await act(first.body.rideId, 'cancel', rider, {});
    expect(cancelled.body).toMatchObject({ status: 'cancelled', endReason: 'changed_mind' });
    api.clockMs = 3_600_000;
    try {
      const repeat = await requestRide(token, key);
      expect(JSON.stringify(repeat.body)).toBe(JSON.stringify(first.body));
      // As if the gateway had died before it kept the answer; the workflow is over by now.
      await api.rides.query('update claims set answer = null where idempotency_key = $1', [key]);
      const again = await requestRide(token, key);
      expect([again.status, JSON.stringify(again.body)]).toEqual([201, JSON.stringify(first.body)]);
    } finally {
      api.clockMs = 0;
    }
  });

  test('goes on with a request that crashed half way, and no other quote, key or ride comes of it', async () => {
    const { token, quoteId } = await api.quote('rider-1');
    const key = freshKey();
    const url = await api.withoutTemporal();
    const call = {
      as: rider,
      body: { quoteToken: token, paymentMethod: cash },
      headers: { 'idempotency-key': key },
    };
    const crashed = await api.call('POST', '/v1/rides', { ...call, url });
    expect(problem(crashed)).toEqual(is(503, 'dependency_unavailable'));
    expect(crashed.headers.get('retry-after')).toBe('1');
    const { rows } = await api.rides.query('select ride_id as "rideId" from claims where quote_id = $1', [
      quoteId,
    ]);
    const answer = await api.call('POST', '/v1/rides', call);
    expect(answer.status).toBe(201);
    expect(answer.body.rideId).toBe(rows[0].rideId);
  });

  test('a quote is good for one ride: another key is refused', async () => {
    const { token } = await api.quote('rider-1');
    expect((await requestRide(token)).status).toBe(201);
    const before = await written();
    expect(problem(await requestRide(token))).toEqual(is(409, 'quote_used'));
    expect((await written()).claims).toBe(before.claims);
  });
});

describe("somebody else's ride", () => {
  test('is the same 404 as an unknown one, whatever is asked of it', async () => {
    const rideId = await newRide();
    await eventually(async () => {
      const { body } = await api.call('GET', `/v1/rides/${rideId}`, { as: rider });
      return body.status === 'matching' ? body : undefined;
    });
    const unknown = await api.call('GET', '/v1/rides/01890a5d-ac96-774b-bcce-b302099a8057', { as: rider });
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
      const answer = await api.call(method, `/v1/rides/${rideId}${path}`, { as, body });
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
    for (let i = 0; i < 2; i++) {
      expect((await act(rideId, 'arrive', driver)).body).toMatchObject({ status: 'arrived', version: 4 });
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
    expect(problem(await act(rideId, 'cancel', ['operator', 'o'], {}))).toEqual(
      is(409, 'illegal_transition'),
    );
  });

  test('given back by its driver is in matching again, and its driver sees no more of it', async () => {
    const driver = await onlineDriver('driver-b');
    const rideId = await assignedRide(driver);
    for (let i = 0; i < 2; i++) {
      const { status, body } = await act(rideId, 'cancel', driver, { reason: 'flat_tyre' });
      expect([status, body.status, body.driverId]).toEqual([200, 'matching', null]);
    }
    expect((await api.call('GET', `/v1/rides/${rideId}`, { as: driver })).status).toBe(404);
  });

  test('an accept after the offer is over is refused; the others are told', async () => {
    const [one, two] = [await onlineDriver('driver-c'), await onlineDriver('driver-d')];
    const streams = [
      await openEvents(api, '/v1/drivers/me/offers', one),
      await openEvents(api, '/v1/drivers/me/offers', two),
    ] as const;
    await newRide();
    const [first, second] = [await streams[0].next('offer'), await streams[1].next('offer')];
    expect((await api.call('POST', `/v1/offers/${first.data.offerId}/accept`, { as: one })).status).toBe(200);
    expect(await streams[1].next('offer_over')).toMatchObject({ data: { offerId: second.data.offerId } });
    const before = await written();
    const late = await api.call('POST', `/v1/offers/${second.data.offerId}/accept`, { as: two });
    expect(problem(late)).toEqual(is(409, 'offer_over'));
    const stolen = await api.call('POST', `/v1/offers/${first.data.offerId}/accept`, { as: two });
    expect(problem(stolen)).toEqual(is(404, 'offer_not_found'));
    expect(await written()).toEqual(before);
    for (const stream of streams) stream.close();
  });

  test('declined by everybody goes to the next batch at once', async () => {
    const driver = await onlineDriver('driver-e');
    const offers = await openEvents(api, '/v1/drivers/me/offers', driver);
    const rideId = await newRide();
    const offer = await offers.next('offer');
    const startedAt = Date.now();
    const next = await onlineDriver('driver-f');
    const nextOffers = await openEvents(api, '/v1/drivers/me/offers', next);
    await api.call('POST', `/v1/offers/${offer.data.offerId}/decline`, { as: driver });
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
    const stream = await openEvents(api, path, rider);
    expect(await stream.next()).toMatchObject({ id: '1', event: 'ride.requested' });
    const matching = await stream.next();
    expect(matching).toMatchObject({ id: '2', event: 'ride.matching_started', data: { version: 2 } });
    expect(matching.data.ride).toMatchObject({ rideId, status: 'matching', version: 2 });
    expect(matching.data.ride.startCode).toMatch(/^\d{4}$/);
    stream.close();

    await act(rideId, 'cancel', rider, { reason: 'rain' });
    const resumed = await openEvents(api, path, rider, '2');
    const last = await resumed.next();
    expect(last).toMatchObject({ id: '3', event: 'ride.cancelled', data: { ride: { endReason: 'rain' } } });
    expect(await resumed.ended()).toBe(true);

    const over = await api.call('GET', path, { as: rider, headers: { 'last-event-id': '3' } });
    expect(over.status).toBe(204);
  });

  test('reaches many followers live, from one poll', async () => {
    const rideId = await newRide();
    const streams = await Promise.all(
      Array.from({ length: 20 }, () => openEvents(api, `/v1/rides/${rideId}/events`, rider)),
    );
    await act(rideId, 'cancel', rider, {});
    for (const stream of streams) {
      const events = [];
      while (!(await stream.ended())) events.push((await stream.next()).id);
      expect(events).toEqual(['1', '2', '3']);
    }
  });
});
