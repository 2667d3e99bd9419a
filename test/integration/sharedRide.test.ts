import { SignJWT } from 'jose';
import { standardPolicies } from '../../domain/policies';
import { is, problem, rider, type Person } from '../support/apiStory';
import { rideRequest } from '../support/rides';
import { endOfStory, writtenRides } from '../support/writtenRides';

jest.setTimeout(30_000);

const { story, driver, clockAt, written } = writtenRides();
const unknown = '01890a5d-ac96-774b-bcce-b302099a8057';

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
