import { apiStory, is, operator, problem, rider } from '../support/apiStory';
import { openEvents } from '../support/events';
import { goOn, matchingRides } from '../support/streams/ground';

jest.setTimeout(30_000);

// Rides are written, not carried: nothing here gets as far as a workflow.
const story = apiStory({ workers: false });
const unknown = '01890a5d-ac96-774b-bcce-b302099a8057';

const matchingRide = async (): Promise<string> => (await matchingRides(story.api.rides, 1))[0]!;

afterEach(() => story.api.rides.query('truncate rides, offers'));

describe('Last-Event-ID', () => {
  test.each(['-1', 'abc', '1.5', '1e3', '01', '99999999999999999999', '', '1, 2', '0x1', unknown, '3'])(
    '%j is none that a ride at version 2 has given out',
    async (lastEventId) => {
      const rideId = await matchingRide();
      const headers = { 'last-event-id': lastEventId };
      const answer = await story.api.call('GET', `/v1/rides/${rideId}/events`, { as: rider, headers });
      expect(problem(answer)).toEqual(is(400, 'validation_failed'));
      expect(answer.body.errors).toMatchObject([{ in: 'headers', pointer: '/last-event-id' }]);
    },
  );

  test.each(['42', '', `${unknown}0`])('%j is no offer', async (lastEventId) => {
    const as = ['driver', 'driver-1'] as const;
    await story.onlineDriver('driver-1');
    const headers = { 'last-event-id': lastEventId };
    const answer = await story.api.call('GET', '/v1/drivers/me/offers', { as, headers });
    expect(problem(answer)).toEqual(is(400, 'validation_failed'));
  });

  test.each([
    ['0', ['1', '2', '3']],
    ['1', ['2', '3']],
    ['2', ['3']],
  ])('%s goes on with what came after it', async (lastEventId, ids) => {
    const rideId = await matchingRide();
    const stream = await openEvents(story.api, `/v1/rides/${rideId}/events`, operator, lastEventId);
    await goOn(story.api.rides, rideId);
    const got = [];
    for (const _ of ids) got.push((await stream.next()).id);
    expect(got).toEqual(ids);
    stream.close();
  });
});

test('a driver who comes back is told again of no offer, and of the end of the last one', async () => {
  const { rides } = story.api;
  const driver = await story.onlineDriver('driver-2');
  const offer = async (offerId: string): Promise<void> => {
    await rides.query(
      `insert into offers (offer_id, ride_id, driver_id, round, state, expires_at)
       values ($1, $2, 'driver-2', 1, 'offered', now() + interval '1 minute')`,
      [offerId, await matchingRide()],
    );
  };
  const withdraw = (offerId: string) =>
    rides.query(`update offers set state = 'withdrawn' where offer_id = $1`, [offerId]);
  const [first, second] = [unknown, '01890a5d-ac96-774b-bcce-b302099a8058'];
  await offer(first);
  const stream = await openEvents(story.api, '/v1/drivers/me/offers', driver);
  expect(await stream.next()).toMatchObject({ id: first, event: 'offer' });
  stream.close();

  const again = await openEvents(story.api, '/v1/drivers/me/offers', driver, first);
  await offer(second);
  expect(await again.next()).toMatchObject({ id: second, event: 'offer' });
  again.close();

  await withdraw(second);
  const late = await openEvents(story.api, '/v1/drivers/me/offers', driver, second);
  const told = [await late.next(), await late.next()];
  expect(told).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ event: 'offer_over', data: { offerId: second } }),
      expect.objectContaining({ event: 'offer', id: first }),
    ]),
  );
  late.close();
});
