import { apiStory, is, operator, problem, rider } from '../support/apiStory';

jest.setTimeout(30_000);

const story = apiStory();
const { onlineDriver, assignedRide, drivenRide, act, operate, newRide } = story;

const card = { type: 'card', token: 'pm_card_visa' };
const pickup = { lat: 40.73, lng: -73.99 };
/** About 1.1 km from the pickup. */
const away = { lat: 40.74, lng: -73.99 };
const unknownId = '01890a5d-ac96-774b-bcce-b302099a8057';
const look = (rideId: string) => story.api.call('GET', `/v1/rides/${rideId}`, { as: rider });
const preview = (rideId: string, as = rider) =>
  story.api.call('GET', `/v1/rides/${rideId}/cancellation`, { as });

describe('at the pickup', () => {
  test('a driver arrives near it only: by the position sent along, or the last one known', async () => {
    const driver = await onlineDriver('pickup-1');
    const rideId = await assignedRide(driver);
    const { whereabouts } = story.api;
    const far = await act(rideId, 'arrive', driver, { position: away });
    expect(problem(far)).toEqual(is(409, 'too_far_from_pickup'));
    expect(far.body).toMatchObject({ maxMeters: 300 });
    whereabouts.set('pickup-1', away);
    expect(problem(await act(rideId, 'arrive', driver))).toEqual(is(409, 'too_far_from_pickup'));
    whereabouts.set('pickup-1', null);
    expect(problem(await act(rideId, 'arrive', driver))).toEqual(is(409, 'position_unknown'));
    whereabouts.set('pickup-1', pickup);
    expect((await act(rideId, 'arrive', driver)).body).toMatchObject({ status: 'arrived' });
    // A repeat is answered as the first, wherever the driver is by now.
    whereabouts.set('pickup-1', null);
    expect((await act(rideId, 'arrive', driver)).body).toMatchObject({ status: 'arrived' });
  });

  test('a position sent along is held against the last one known: nobody is there at once', async () => {
    const driver = await onlineDriver('pickup-3');
    const rideId = await assignedRide(driver);
    const { whereabouts } = story.api;
    whereabouts.set('pickup-3', { ...away, ageMs: 5_000 });
    const claimed = await act(rideId, 'arrive', driver, { position: pickup });
    expect(problem(claimed)).toEqual(is(409, 'too_far_from_pickup'));
    expect(claimed.body).toMatchObject({ distanceMeters: 1_112 });
    // Who falls silent is not believed for it.
    const farAway = { lat: 41.3, lng: -73.99, ageMs: 120_000 };
    whereabouts.set('pickup-3', farAway);
    expect(problem(await act(rideId, 'arrive', driver, { position: pickup }))).toEqual(
      is(409, 'too_far_from_pickup'),
    );
    whereabouts.set('pickup-3', { ...away, ageMs: 120_000 });
    expect((await act(rideId, 'arrive', driver, { position: pickup })).body).toMatchObject({
      status: 'arrived',
    });
  });

  test.each([
    ['the map does not answer', undefined],
    ['the map has forgotten the driver', null],
  ])('a position sent along is believed where %s', async (_, known) => {
    const driver = await onlineDriver('pickup-4');
    const rideId = await assignedRide(driver);
    if (known === null) story.api.whereabouts.set('pickup-4', null);
    const arrived = await act(rideId, 'arrive', driver, { position: pickup });
    expect(arrived.body).toMatchObject({ status: 'arrived' });
  });

  test('an operator overrides the map', async () => {
    const driver = await onlineDriver('pickup-2');
    story.api.whereabouts.set('pickup-2', away);
    const rideId = await assignedRide(driver);
    const answer = await operate(rideId, 'arrive', { reason: 'the street is closed' });
    expect(answer.body).toMatchObject({ status: 'arrived' });
  });
});

describe('what a cancel costs', () => {
  test('is what the preview says, and no more than it said', async () => {
    const driver = await onlineDriver('fee-1');
    const rideId = await assignedRide(driver, card);
    story.api.whereabouts.set('fee-1', pickup);
    const before = (await preview(rideId)).body;
    expect(before).toMatchObject({ rideId, currency: 'USD' });
    await act(rideId, 'arrive', driver);
    const after = (await preview(rideId)).body;
    expect(after).toMatchObject({ feeMinor: 500, why: 'the driver is on the way or waits' });
    const { previewToken } = before;
    const cancelled = await act(rideId, 'cancel', rider, { previewToken });
    expect(cancelled.body).toMatchObject({ status: 'cancelled', chargeMinor: before['feeMinor'] });
  });

  test('a token of another ride, an old one and rubbish promise nothing and block nothing', async () => {
    const other = await newRide(card);
    const free = (await preview(other)).body;
    expect(free).toMatchObject({ feeMinor: 0, why: 'no driver is on the way' });
    await act(other, 'cancel', rider, {});
    for (const [i, previewToken] of [free['previewToken'], 'rubbish', ''].entries()) {
      const driver = await onlineDriver(`token-${i}`);
      const rideId = await assignedRide(driver, card);
      await act(rideId, 'arrive', driver, { position: pickup });
      const cancelled = await act(rideId, 'cancel', rider, { previewToken });
      expect(cancelled.body).toMatchObject({ status: 'cancelled', chargeMinor: 500 });
    }
  });

  test('cannot be asked where a cancel could not be had', async () => {
    const rideId = await drivenRide(await onlineDriver('fee-3'));
    expect(problem(await preview(rideId))).toEqual(is(409, 'illegal_transition'));
    expect(problem(await preview(rideId, ['rider', 'rider-2']))).toEqual(is(404, 'ride_not_found'));
    expect(problem(await preview(unknownId))).toEqual(is(404, 'ride_not_found'));
  });
});

describe('under way', () => {
  test('the rider ends the ride here: the fare is for what was driven, and a repeat changes nothing', async () => {
    const driver = await onlineDriver('end-1');
    const rideId = await drivenRide(driver);
    story.api.whereabouts.set('end-1', pickup);
    const { body } = await act(rideId, 'end', rider, { reason: 'here_is_fine' });
    expect(body).toMatchObject({ status: 'completed', endReason: 'here_is_fine' });
    expect(body['chargeMinor']).toBeLessThan((body['fare'] as { totalMinor: number }).totalMinor);
    expect((await act(rideId, 'end', rider, {})).body).toEqual(body);
    expect((await story.api.call('GET', '/v1/drivers/me', { as: driver })).body).toMatchObject({
      rideId: null,
    });
  });

  test('an operator completes it, or ends it where it is', async () => {
    const forced = await drivenRide(await onlineDriver('force-1'));
    const { body } = await operate(forced, 'complete', { reason: 'phone is dead' });
    expect(body).toMatchObject({ status: 'completed', endReason: 'phone is dead' });
    expect(body['chargeMinor']).toBe((body['fare'] as { totalMinor: number }).totalMinor);
    const ended = await drivenRide(await onlineDriver('force-2'));
    expect((await operate(ended, 'end', { reason: 'accident' })).body).toMatchObject({
      status: 'completed',
      endReason: 'accident',
    });
  });

  test('an operator takes it from its driver, who is not asked again; a repeat changes nothing', async () => {
    const driver = await onlineDriver('taken-1');
    const rideId = await assignedRide(driver);
    const body = { driverId: 'taken-1', reason: 'complaint' };
    const taken = await operate(rideId, 'reassign', body);
    expect(taken.body).toMatchObject({ status: 'matching', driverId: null });
    expect((await operate(rideId, 'reassign', body)).status).toBe(200);
    const wrong = await operate(rideId, 'reassign', { driverId: 'nobody', reason: 'x' });
    expect(problem(wrong)).toEqual(is(409, 'illegal_transition'));
    expect((await look(rideId)).body).toMatchObject({ status: 'matching' });
  });
});

test("an operator's word on a ride that is over is refused, and says why", async () => {
  const rideId = await newRide();
  await act(rideId, 'cancel', rider, {});
  for (const [action, body] of [
    ['arrive', { reason: 'x' }],
    ['reassign', { driverId: 'd', reason: 'x' }],
    ['fare', { totalMinor: 1, reason: 'x' }],
    ['complete', { reason: 'x' }],
    ['end', { reason: 'x' }],
  ] as const) {
    const answer = await operate(rideId, action, body);
    expect([action, problem(answer)]).toEqual([action, is(409, 'illegal_transition')]);
    expect(answer.body).toMatchObject({ status: 409, detail: expect.stringContaining('cancelled') });
  }
});

test("an operator's word on a ride that its driver has completed is refused, and nothing is written", async () => {
  const driver = await onlineDriver('done-1');
  const rideId = await drivenRide(driver);
  const { body: ended } = await act(rideId, 'complete', driver);
  const { totalMinor } = ended['fare'] as { totalMinor: number };
  const before = await story.written();
  for (const [action, body] of [
    ['arrive', { reason: 'x' }],
    ['start', { reason: 'x' }],
    ['reassign', { driverId: 'done-1', reason: 'x' }],
    ['fare', { totalMinor, reason: 'x' }],
    ['complete', { reason: 'x' }],
    ['end', { reason: 'x' }],
  ] as const)
    expect([action, problem(await operate(rideId, action, body))]).toEqual([
      action,
      is(409, 'illegal_transition'),
    ]);
  expect(problem(await act(rideId, 'cancel', operator, { reason: 'x' }))).toEqual(
    is(409, 'illegal_transition'),
  );
  expect(await story.written()).toEqual(before);
  expect((await look(rideId)).body).toMatchObject({ version: ended['version'] });
});

test("an operator's word that took effect is answered the same when it is repeated", async () => {
  const driver = await onlineDriver('twice-1');
  const rideId = await assignedRide(driver);
  for (const [action, body] of [
    ['fare', { totalMinor: 700, reason: 'detour' }],
    ['arrive', { reason: 'the street is closed' }],
  ] as const) {
    const first = await operate(rideId, action, body);
    expect([action, first.status]).toEqual([action, 200]);
    expect((await operate(rideId, action, body)).body).toEqual(first.body);
  }
  await act(rideId, 'start', driver, { code: await story.codeOf(rideId) });
  expect(problem(await operate(rideId, 'arrive', { reason: 'x' }))).toEqual(is(409, 'illegal_transition'));
  const ended = await operate(rideId, 'complete', { reason: 'phone is dead' });
  expect(ended.body).toMatchObject({ status: 'completed', chargeMinor: 700 });
  expect((await operate(rideId, 'complete', { reason: 'phone is dead' })).body).toEqual(ended.body);
  expect(problem(await operate(rideId, 'complete', { reason: 'another' }))).toEqual(
    is(409, 'illegal_transition'),
  );
});

test.each([
  ['arrive', { reason: '' }],
  ['arrive', {}],
  ['reassign', { reason: 'no driver named' }],
  ['fare', { totalMinor: -1, reason: 'x' }],
  ['fare', { totalMinor: 1.5, reason: 'x' }],
  ['fare', { totalMinor: '900', reason: 'x' }],
  ['complete', { reason: 'x', force: true }],
  ['end', { reason: 'x'.repeat(201) }],
])('bad input to an operator’s %s is refused: %j', async (action, body) => {
  expect(problem(await operate(unknownId, action, body))).toEqual(is(400, 'validation_failed'));
});

test.each(['arrive', 'complete', 'end'])('only operators may %s in their name', async (action) => {
  const path = `/v1/ops/rides/${unknownId}/${action}`;
  const answer = await story.api.call('POST', path, { as: rider, body: { reason: 'x' } });
  expect(problem(answer)).toEqual(is(403, 'forbidden'));
  expect(problem(await operate(unknownId, action, { reason: 'x' }))).toEqual(is(404, 'ride_not_found'));
});

test('a ride that waits for longer than its state allows is listed with what to do', async () => {
  const rideId = await newRide(card);
  const stuck = async () =>
    (await story.api.call('GET', '/v1/ops/rides/stuck', { as: operator })).body['rides'] as {
      rideId: string;
    }[];
  expect((await stuck()).map((ride) => ride.rideId)).not.toContain(rideId);
  story.api.clockMs = 7_200_000;
  try {
    expect((await stuck()).find((ride) => ride.rideId === rideId)).toMatchObject({
      workflowId: `ride-${rideId}`,
      action: expect.any(String),
      overdueMs: expect.any(Number),
    });
  } finally {
    story.api.clockMs = 0;
  }
});
