import { standardPolicies } from '../../domain/policies';
import { is, operator, problem, rider, type Person } from '../support/apiStory';
import { at } from '../support/rides';
import { endOfStory, writtenRides } from '../support/writtenRides';

jest.setTimeout(30_000);

const { story, driver, clockAt, written } = writtenRides();
const unknown = '01890a5d-ac96-774b-bcce-b302099a8057';

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
