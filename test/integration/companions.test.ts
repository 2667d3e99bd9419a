import { SignJWT } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { standardPolicies } from '../../domain/policies';
import type { RideCommand } from '../../domain/ride';
import { apiStory, is, operator, problem, rider, type Person } from '../support/apiStory';
import { at, play, rideRequest, standardRide, startOfStory } from '../support/rides';

jest.setTimeout(30_000);

// Rides are written, not carried: nothing here gets as far as a workflow.
const story = apiStory({ workers: false });
const driver: Person = ['driver', 'driver-1'];
const unknown = '01890a5d-ac96-774b-bcce-b302099a8057';
const endOfStory = 1_200_000;

beforeAll(async () => {
  await story.api.call('PUT', '/v1/drivers/me', {
    as: driver,
    body: { name: 'Ada', plate: 'T-42', product: 'standard' },
  });
});
beforeEach(() => clockAt(endOfStory + 1));
afterEach(async () => {
  story.api.clockMs = 0;
  story.api.whereabouts.clear();
  await story.api.rides.query('truncate rides, ratings, rating_totals, share_rounds, steps, outbox');
});

/** Moves the gateway's clock to so many milliseconds after the rides' story began. */
function clockAt(ms: number): void {
  story.api.clockMs = Date.parse(startOfStory) + ms - Date.now();
}

/** A ride as far as these many steps of the standard one, and what else happens to it. */
async function written(steps: number, ...more: RideCommand[]): Promise<string> {
  const rideId = uuidv7();
  const [, ...others] = standardRide.slice(0, steps);
  const request = { type: 'request', at: at(0), request: rideRequest({ rideId }) } as const;
  const { ride } = play([request, ...others, ...more]);
  await story.api.rides.query('insert into rides (ride_id, version, state) values ($1, $2, $3)', [
    ...[rideId, ride.version, JSON.stringify(ride)],
  ]);
  return rideId;
}

describe('ratings', () => {
  const rate = (rideId: string, as: Person, body: unknown) =>
    story.api.call('POST', `/v1/rides/${rideId}/rating`, { as, body });
  const facts = async () => {
    const { rows } = await story.api.rides.query<{
      headers: Record<string, string>;
      value: string;
      topic: string;
    }>(`select headers, value, topic from outbox where topic = 'ratings' order by id`);
    return rows;
  };

  test('go both ways, once each, each a fact of its own, and the other side sees the average', async () => {
    const rideId = await written(6);
    expect((await story.api.call('GET', `/v1/rides/${rideId}`, { as: rider })).body).toMatchObject({
      driver: { name: 'Ada', plate: 'T-42', product: 'standard', rating: { average: null, count: 0 } },
    });
    const given = await rate(rideId, rider, { stars: 4, comment: ' kind ' });
    expect(given).toMatchObject({ status: 201, body: { rideId, by: 'rider', stars: 4, comment: 'kind' } });
    // The same again, also twice at once.
    const again = await Promise.all([1, 2].map(() => rate(rideId, rider, { stars: 4, comment: 'kind' })));
    for (const { status, body } of again) expect([status, body]).toEqual([201, given.body]);
    expect(problem(await rate(rideId, rider, { stars: 5 }))).toEqual(is(409, 'rating_already_given'));
    expect((await rate(rideId, driver, { stars: 5 })).body).toMatchObject({ by: 'driver', comment: null });
    await rate(await written(6), rider, { stars: 5 });
    await rate(await written(6), rider, { stars: 5 });

    const all = await facts();
    expect(all).toHaveLength(4);
    const [first] = all;
    expect(first!.headers).toMatchObject({
      ce_type: 'rating.given',
      ce_sequence: '1',
      ce_correlationid: rideId,
    });
    expect(JSON.parse(first!.value)).toEqual({
      ...{ ratingId: first!.headers['ce_subject'], rideId, by: 'rider' },
      ...{ raterId: 'rider-1', ratedId: 'driver-1', stars: 4 },
    });
    const next = await written(3);
    const seenBy = async (as: Person) => (await story.api.call('GET', `/v1/rides/${next}`, { as })).body;
    expect(await seenBy(rider)).toMatchObject({ driver: { rating: { average: 4.67, count: 3 } } });
    expect(await seenBy(operator)).toMatchObject({ driver: { name: 'Ada' } });
    const forDriver = await seenBy(driver);
    expect(forDriver).toMatchObject({ riderRating: { average: 5, count: 1 } });
    expect(forDriver).not.toHaveProperty('driver');
    expect(await story.api.call('GET', `/v1/rides/${await written(2)}`, { as: rider })).not.toHaveProperty(
      'body.driver',
    );
  });

  test.each(
    [{}, { stars: 0 }, { stars: 6 }, { stars: 4.5 }, { stars: '5' }, { stars: null }].concat([
      { stars: 5, comment: '' },
      { stars: 5, comment: '  ' },
      { stars: 5, comment: 'x'.repeat(501) },
      { stars: 5, tip: 1 },
    ] as object[]),
  )('%j is bad input', async (body) => {
    const rideId = await written(6);
    expect(problem(await rate(rideId, rider, body))).toEqual(is(400, 'validation_failed'));
    expect(await facts()).toEqual([]);
  });

  test('are refused before the end, after the window, and from whoever was not there', async () => {
    for (const steps of [1, 2, 3, 4, 5]) {
      expect(problem(await rate(await written(steps), rider, { stars: 5 }))).toEqual(
        is(409, 'rating_not_possible'),
      );
    }
    const cancelled = await written(3, { type: 'cancelByOperator', at: at(9_000), reason: 'storm' });
    expect(problem(await rate(cancelled, driver, { stars: 5 }))).toEqual(is(409, 'rating_not_possible'));
    const rideId = await written(6);
    for (const as of [
      ['rider', 'rider-2'],
      ['driver', 'driver-2'],
    ] as const) {
      expect(problem(await rate(rideId, as, { stars: 5 }))).toEqual(is(404, 'ride_not_found'));
    }
    expect(problem(await rate(unknown, rider, { stars: 5 }))).toEqual(is(404, 'ride_not_found'));
    expect(problem(await rate('42', rider, { stars: 5 }))).toEqual(is(404, 'ride_not_found'));
    expect(problem(await rate(rideId, operator, { stars: 5 }))).toEqual(is(403, 'forbidden'));
    clockAt(endOfStory + standardPolicies.ratingWindowMs + 1_000);
    expect(problem(await rate(rideId, rider, { stars: 5 }))).toEqual(is(409, 'rating_not_possible'));
    expect(await facts()).toEqual([]);
  });
});

describe('a shared ride', () => {
  const share = (rideId: string, as: Person = rider) =>
    story.api.call('POST', `/v1/rides/${rideId}/share`, { as });
  const look = (token: string) => story.api.call('GET', `/v1/shared/${token}`);
  const tokenOf = async (rideId: string): Promise<string> => {
    const { status, body } = await share(rideId);
    expect(status).toBe(201);
    return String(body.url).slice('https://rides.example/v1/shared/'.length);
  };
  const gone = async (token: string) =>
    expect(problem(await look(token))).toEqual(is(404, 'share_not_found'));
  const setStatus = async (rideId: string, steps: number) => {
    const source = await written(steps);
    await story.api.rides.query(
      `update rides set state = (select state from rides where ride_id = $2) || jsonb_build_object('rideId', $1::text)
       where ride_id = $1`,
      [rideId, source],
    );
  };

  test('shows without a login where the driver is, and nothing of the rider', async () => {
    clockAt(10_000);
    const rideId = await written(2);
    const token = await tokenOf(rideId);
    const { pickup, dropoff } = rideRequest();
    const looking = await look(token);
    expect(looking).toMatchObject({
      status: 200,
      body: { status: 'matching', pickup, dropoff, driver: null },
    });
    expect(looking.headers.get('cache-control')).toBe('no-store');

    await setStatus(rideId, 3);
    const card = { name: 'Ada', plate: 'T-42', product: 'standard' };
    expect((await look(token)).body).toMatchObject({
      status: 'assigned',
      driver: { ...card, position: null },
    });
    story.api.whereabouts.set('driver-1', { lat: 40.7, lng: -73.9 });
    const { body } = await look(token);
    expect(body).toMatchObject({ driver: { ...card, position: { lat: 40.7, lng: -73.9 } } });
    expect(Object.keys(body).sort()).toEqual(['driver', 'dropoff', 'expiresAt', 'pickup', 'status', 'stops']);
    expect(JSON.stringify(body)).not.toMatch(/rider|driver-1|fare|pm_card|rideId|quote/);
  });

  test('is over a while after its end, and shows no driver any more', async () => {
    clockAt(10_000);
    const rideId = await written(5);
    const token = await tokenOf(rideId);
    await setStatus(rideId, 6);
    clockAt(endOfStory + standardPolicies.shareGraceMs - 5_000);
    expect((await look(token)).body).toMatchObject({ status: 'completed', driver: null });
    clockAt(endOfStory + standardPolicies.shareGraceMs);
    await gone(token);
    expect(problem(await share(rideId))).toEqual(is(409, 'share_not_possible'));
  });

  test('expires, also where the ride goes on', async () => {
    clockAt(10_000);
    const rideId = await written(3);
    const { body } = await share(rideId);
    const token = String(body.url).split('/').at(-1)!;
    const { shareTtlMs } = standardPolicies;
    expect(body).toEqual({ url: expect.any(String), expiresAt: expect.any(String) });
    clockAt(10_000 + shareTtlMs - 5_000);
    expect((await look(token)).status).toBe(200);
    clockAt(10_000 + shareTtlMs + 5_000);
    await gone(token);
  });

  test('can be taken back, and shared anew', async () => {
    clockAt(10_000);
    const rideId = await written(3);
    const tokens = [await tokenOf(rideId), await tokenOf(rideId)];
    const other = await tokenOf(await written(3));
    expect((await story.api.call('DELETE', `/v1/rides/${rideId}/share`, { as: rider })).status).toBe(204);
    for (const token of tokens) await gone(token);
    expect((await look(other)).status).toBe(200);
    expect((await look(await tokenOf(rideId))).status).toBe(200);
  });

  test('bad tokens are one 404, and links are made by the rider alone', async () => {
    clockAt(10_000);
    const rideId = await written(3);
    const token = await tokenOf(rideId);
    const [head, payload, mac] = token.split('.') as [string, string, string];
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const changed = Buffer.from(JSON.stringify({ ...claims, exp: 99_999_999_999 })).toString('base64url');
    const signed = (alg: string, typ: string, key: string, body: object = claims) =>
      new SignJWT({ ...body }).setProtectedHeader({ alg, typ }).sign(new TextEncoder().encode(key));
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'share+jwt' })).toString('base64url');
    for (const bad of [
      ...['x', 'a.b.c', 'x'.repeat(5_000), `${head}.${changed}.${mac}`, `${none}.${payload}.`],
      await signed('HS256', 'share+jwt', 'another secret'),
      // Signed by us for something else.
      await signed('HS256', 'cancellation+jwt', 'the codes'),
      await signed('HS256', 'share+jwt', 'the codes', { rideId }),
      await signed('HS256', 'share+jwt', 'the codes', { ...claims, rideId: unknown }),
      await signed('HS256', 'share+jwt', 'the codes', { ...claims, rideId: "' or 1=1" }),
    ]) {
      await gone(bad);
    }
    for (const [method, as] of [
      ['POST', ['rider', 'rider-2']],
      ['DELETE', ['rider', 'rider-2']],
    ] as const) {
      expect(problem(await story.api.call(method, `/v1/rides/${rideId}/share`, { as }))).toEqual(
        is(404, 'ride_not_found'),
      );
    }
    expect(problem(await share(rideId, driver))).toEqual(is(403, 'forbidden'));
    expect(problem(await share('42'))).toEqual(is(404, 'ride_not_found'));
    expect(
      problem(await story.api.call('POST', `/v1/rides/${rideId}/share`, { as: rider, body: { ttl: 1 } })),
    ).toEqual(is(400, 'validation_failed'));
    expect((await look(token)).status).toBe(200);
  });
});
