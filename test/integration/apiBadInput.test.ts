import type { Api } from '../support/api';
import { apiStory, cash, is, operator, problem, rider } from '../support/apiStory';

jest.setTimeout(30_000);

// Nothing here gets as far as a workflow.
const story = apiStory({ workers: false });
const { requestRide, written } = story;

describe('bad input is a problem with its own type, and nothing is written', () => {
  const trip = { pickup: { lat: 40.73, lng: -73.99 }, dropoff: { lat: 40.76, lng: -73.97 } };
  const farApart = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ lat: 40.6 + 0.005 * i, lng: -73.95 }));
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
    ['a stop outside the world', 'validation_failed', 400, { ...trip, stops: [{ lat: 91, lng: 0 }] }],
    ['more stops than anybody makes', 'validation_failed', 400, { ...trip, stops: farApart(26) }],
    ['more fixed stops than stops', 'validation_failed', 400, { ...trip, stops: farApart(1), fixedStops: 2 }],
    ['fewer fixed stops than none', 'validation_failed', 400, { ...trip, fixedStops: -1 }],
    ['a pickup at no time', 'validation_failed', 400, { ...trip, scheduledFor: 'tomorrow' }],
    ['a product we do not have', 'validation_failed', 400, { ...trip, product: 'helicopter' }],
    [
      'more drops than a courier makes',
      'too_many_drops',
      400,
      { ...trip, product: 'courier', stops: farApart(25) },
    ],
    [
      'a drop twice: a cycle',
      'courier_cycle',
      400,
      { ...trip, product: 'courier', stops: [...farApart(2), trip.dropoff] },
    ],
    ['a drop at the pickup', 'courier_cycle', 400, { ...trip, product: 'courier', stops: [trip.pickup] }],
    ['a body over 64 KiB', 'body_too_large', 413, { ...trip, note: 'x'.repeat(65_536) }],
  ])('a quote for %s', async (_what, code, status, body) => {
    const before = await written();
    expect(problem(await story.api.call('POST', '/v1/quotes', { as: rider, body }))).toEqual(
      is(status, code),
    );
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
    expect(problem(await story.api.call(method, path, call))).toEqual(is(status, code));
    expect(await written()).toEqual(before);
  });

  test('a validation problem names every wrong field', async () => {
    const answer = await story.api.call('POST', '/v1/quotes', {
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
    const expired = await story.api.quote('rider-1', -60_000);
    const { token } = await story.api.quote('rider-1');
    const [head, , signature] = token.split('.');
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
    const cheaper = { ...claims, fare: { ...claims.fare, totalMinor: 1 } };
    const changed = [head, Buffer.from(JSON.stringify(cheaper)).toString('base64url'), signature].join('.');
    const others = await story.api.quote('rider-2');
    const before = await written();
    expect(problem(await requestRide(expired.token))).toEqual(is(409, 'quote_expired'));
    expect(problem(await requestRide(changed))).toEqual(is(400, 'quote_invalid'));
    expect(problem(await requestRide(others.token))).toEqual(is(400, 'quote_invalid'));
    expect(await written()).toEqual(before);
  });

  test('positions of nobody, of another fleet, and too many at once', async () => {
    const at = new Date().toISOString();
    const own = (driverId: string) => ({ driverId, lat: 40.7, lng: -73.9, sequence: 1, at });
    const { driverId: _, ...position } = own('');
    const many = (count: number) => ({ positions: Array.from({ length: count }, () => position) });
    const send = (driverId: string, count: number) =>
      story.api.call('POST', '/v1/drivers/me/positions', { as: ['driver', driverId], body: many(count) });
    const register = (driverId: string, fleet: object) =>
      story.api.call('PUT', '/v1/drivers/me', {
        ...{ as: ['driver', driverId], body: { name: 'D', plate: 'T-1', ...fleet } },
      });
    expect(problem(await send('not-yet', 3))).toEqual(is(404, 'driver_unknown'));
    expect((await register('ours', { fleetId: 'fleet-1' })).body).toMatchObject({ fleetId: 'fleet-1' });
    expect((await register('alone', {})).body).toMatchObject({ fleetId: null });
    expect((await send('ours', 3)).body).toMatchObject({ taken: 3, refused: 0 });
    expect(problem(await send('ours', 101))).toEqual(is(400, 'validation_failed'));
    const full = await send('ours', 60);
    expect(problem(full)).toEqual(is(429, 'too_many_positions'));
    expect(full.headers.get('retry-after')).toBe('1');

    const fleet = await story.api.call('POST', '/v1/fleet/positions?partial=true', {
      ...{ as: ['fleet', 'fleet-1'], body: { positions: [own('alone'), own('ours'), own('unheard-of')] } },
    });
    expect(fleet.body).toMatchObject({ taken: 1, refused: 2, errors: [{ index: 0 }, { index: 2 }] });
  });

  test('a service that is away is 503 with Retry-After', async () => {
    const answer = await story.api.call('GET', '/v1/ops/demand', { as: operator });
    expect(problem(answer)).toEqual(is(503, 'dependency_unavailable'));
    expect(answer.headers.get('retry-after')).toBe('1');
  });

  test('every problem has a page', async () => {
    expect(
      (await story.api.call('GET', '/problems/quote_used', { headers: { accept: 'application/json' } })).body,
    ).toMatchObject({ status: 409 });
  });
});
