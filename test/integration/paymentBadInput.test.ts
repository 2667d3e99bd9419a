import { apiStory, is, operator, problem, rider, type Person } from '../support/apiStory';
import { freshKey } from '../support/api';
import { providerEvent, signatureOf } from '../support/providerEvents';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

// The time for a tip is over as soon as it has begun.
const story = apiStory({ policies: { tipWindowMs: 1 } });
const card = { type: 'card', token: 'pm_card_visa' };
const FARE_LIMIT_MINOR = 100_000_000;

/** A ride that was driven, and charged to a card. */
let rideId: string;

beforeAll(async () => {
  const driver = await story.onlineDriver('driver-1');
  rideId = await story.drivenRide(driver, card);
  expect((await story.act(rideId, 'complete', driver)).status).toBe(200);
  await eventually(async () => {
    const { body } = await story.api.call('GET', `/v1/rides/${rideId}/payment`, { as: operator });
    return body.status === 'captured' || undefined;
  });
}, 60_000);

/** What takes an amount, who may ask for it, and what is asked. */
const amounts: Readonly<Record<string, [Person, string, (amount: unknown) => object]>> = {
  tip: [rider, '/v1/rides/{id}/tip', (amountMinor) => ({ amountMinor })],
  refund: [operator, '/v1/ops/rides/{id}/refunds', (amountMinor) => ({ amountMinor, reason: 'x' })],
  adjustment: [operator, '/v1/ops/payments/{id}/adjust', (toMinor) => ({ toMinor, reason: 'x' })],
  fare: [operator, '/v1/ops/rides/{id}/fare', (totalMinor) => ({ totalMinor, reason: 'x' })],
};

const ask = (what: string, amount: unknown, more: object = {}) => {
  const [as, path, bodyOf] = amounts[what]!;
  return story.api.call('POST', path.replace('{id}', rideId), {
    as,
    body: { ...bodyOf(amount), ...more },
    headers: { 'idempotency-key': freshKey() },
  });
};

/** Nothing of it reaches the provider either. */
async function changesNothing(request: () => Promise<unknown>): Promise<void> {
  const before = { written: await story.written(), asked: story.api.provider.asked(rideId) };
  await request();
  expect({ written: await story.written(), asked: story.api.provider.asked(rideId) }).toEqual(before);
}

describe.each(Object.keys(amounts))('the amount of a %s', (what) => {
  test.each<[string, unknown]>([
    ['negative', -1],
    ['fractional', 100.5],
    ['beyond the limit', FARE_LIMIT_MINOR + 1],
    ['beyond what a number says exactly', 2 ** 53],
    ['a text', '100'],
    ['nothing', null],
  ])('cannot be %s', (_how, amount) =>
    changesNothing(async () => {
      expect(problem(await ask(what, amount))).toEqual(is(400, 'validation_failed'));
    }),
  );

  test('is in the currency of the ride, and in no other', () =>
    changesNothing(async () => {
      expect(problem(await ask(what, 100, { currency: 'EUR' }))).toEqual(is(400, 'validation_failed'));
    }));
});

// A ride may cost nothing in the end.
test.each(['tip', 'refund'])('a %s of nothing is none', (what) =>
  changesNothing(async () => {
    expect(problem(await ask(what, 0))).toEqual(is(400, 'validation_failed'));
  }),
);

test('no more can be given back than was taken', () =>
  changesNothing(async () => {
    const { body } = await story.api.call('GET', `/v1/rides/${rideId}/payment`, { as: rider });
    const refused = await ask('refund', Number(body['capturedMinor']) + 1);
    expect(problem(refused)).toEqual(is(409, 'refund_not_possible'));
    expect(refused.body).toMatchObject({ leftMinor: body['capturedMinor'] });
  }));

test('a tip after its time', () =>
  changesNothing(async () => {
    expect(problem(await ask('tip', 300))).toEqual(is(409, 'tip_not_possible'));
  }));

test('a fare after the ride', () =>
  changesNothing(async () => {
    expect(problem(await ask('fare', 300))).toEqual(is(409, 'illegal_transition'));
  }));

test.each<[string, number]>([
  ['forged', 0],
  ['replayed', 302],
])('a webhook that is %s', (how, secondsAgo) =>
  changesNothing(async () => {
    const raw = JSON.stringify(
      providerEvent('payment_intent.canceled', { object: { metadata: { rideId } } }),
    );
    const secret = how === 'forged' ? { secret: 'whsec_guess' } : {};
    const answer = await story.api.call('POST', '/v1/providers/stripe/events', {
      raw,
      headers: { 'stripe-signature': signatureOf(raw, { secondsAgo, ...secret }) },
    });
    expect(problem(answer)).toEqual(is(400, 'provider_signature_invalid'));
  }),
);

test.each(['retry', 'resolve', 'waive', 'adjust'])('%s is for operators only', (action) =>
  changesNothing(async () => {
    const path = `/v1/ops/payments/${rideId}/${action}`;
    expect(problem(await story.api.call('POST', path, { as: rider, body: {} }))).toEqual(
      is(403, 'forbidden'),
    );
  }),
);

test('nobody looks at the payment of somebody else', async () => {
  const path = `/v1/rides/${rideId}/payment`;
  expect(problem(await story.api.call('GET', path, { as: ['rider', 'rider-2'] }))).toEqual(
    is(404, 'ride_not_found'),
  );
  expect(problem(await story.api.call('GET', path, { as: ['driver', 'driver-1'] }))).toEqual(
    is(403, 'forbidden'),
  );
});
