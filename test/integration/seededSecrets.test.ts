import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { createPool } from '../../platform/postgres';
import type { Role } from '../../tools/stack/issuer';
import { kafkaLogins } from '../../tools/stack/servers/kafkaSecurity';
import type { Stack } from '../../tools/stack/stack';
import { askErasure } from '../../tools/cli/erase';
import { everywhere, type Place } from '../support/everywhere';
import { providerEvent, signatureOf } from '../support/providerEvents';
import { eventually } from '../support/rideSaga';
import { card, stackStory, type StackAnswer, type StackStory } from '../support/stackStory';
import { newDataDir, startWholeStack } from '../support/wholeStack';

/**
 * A whole stack is run through with secrets that nobody else has, at the most talkative log level, its Kafka with
 * security; then everything that it has written is searched for them.
 */

jest.setTimeout(180_000);

const secret = (prefix: string): string => prefix + randomBytes(16).toString('hex');
const seeds = {
  STRIPE_API_KEY: secret('sk_test_'),
  STRIPE_WEBHOOK_SECRET: secret('whsec_'),
  QUOTE_SECRET: secret('quotes'),
  RIDE_CODE_SECRET: secret('codes'),
};
/** A Luhn-valid number as people might type it; it must not get further than the door. */
const cardNumber = '4242 4242 4242 4242';
const home = { lat: 40.7, lng: -74 };
const rider: [Role, string] = ['rider', 'rider-1'];
const driver: [Role, string] = ['driver', 'driver-1'];
const operator: [Role, string] = ['operator', 'ops-1'];

let stack: Stack;
let story: StackStory;
let places: Place[];
/** Made while the stack ran. */
const found = {
  endpointSecret: '',
  badToken: secret('bearer'),
  unknownCard: secret('pm_'),
  tokens: [] as string[],
};

/** Each secret in a file of its own: how containers are given them. */
function filesOf(secrets: Readonly<Record<string, string>>, dataDir: string): NodeJS.ProcessEnv {
  const entries = Object.entries(secrets).map(([name, value]) => {
    const file = join(dirname(dataDir), `secret-${name}`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${value}\n`, { mode: 0o600 });
    return [`${name}_FILE`, file] as const;
  });
  return Object.fromEntries(entries);
}

const refused = async (answer: Promise<StackAnswer>): Promise<void> =>
  expect((await answer).status).toBe(400);

async function post(path: string, headers: Record<string, string>, body = '{}'): Promise<number> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body };
  return (await fetch(stack.apiUrl + path, init)).status;
}

const request = (method: object) =>
  story
    .quote('rider-1')
    .then((quoteToken) =>
      story.call('POST', '/v1/rides', rider, { quoteToken, paymentMethod: method }, uuidv7()),
    );

async function offerId(): Promise<string> {
  const pool = createPool(stack.databaseUrls.rides, { applicationName: 'test', max: 1 });
  const offer = await eventually(async () => {
    const { rows } = await pool.query<{ id: string }>(
      `select offer_id as id from offers where state = 'offered'`,
    );
    return rows[0]?.id;
  }, 30_000);
  await pool.end();
  return offer;
}

/** From the quote to tip and refund, through a provider that fails now and then; the answer is the ride. */
async function wholeRide(): Promise<string> {
  await fetch(`${stack.pspUrl}/sandbox/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      match: { method: 'POST', path: '/v1/payment_intents/*/confirm' },
      kind: 'error500_after',
    }),
  });
  await story.driver('driver-1');
  const { rideId } = (await request(card)).body;
  await story.insist('POST', `/v1/offers/${await offerId()}/accept`, driver);
  await story.untilRide(rideId, 'rider-1', ['assigned']);
  await story.insist('POST', `/v1/rides/${rideId}/arrive`, driver);
  const { startCode: code } = (await story.call('GET', `/v1/rides/${rideId}`, rider)).body;
  await story.insist('POST', `/v1/rides/${rideId}/start`, driver, { code });
  await story.insist('POST', `/v1/rides/${rideId}/complete`, driver);
  await eventually(async () => {
    const { body } = await story.call('GET', `/v1/rides/${rideId}/payment`, rider);
    return body.status === 'captured' || undefined;
  }, 60_000);
  await story.insist('POST', `/v1/rides/${rideId}/tip`, rider, { amountMinor: 200 });
  const refunds = `/v1/ops/rides/${rideId}/refunds`;
  await refused(story.call('POST', refunds, operator, { amountMinor: 1, reason: cardNumber }, uuidv7()));
  await story.insist('POST', refunds, operator, { amountMinor: 100, reason: 'a detour' }, uuidv7());
  return rideId;
}

/** What must not be taken, and what is taken and must not be kept. */
async function doors(rideId: string): Promise<void> {
  const number = cardNumber.replace(/ /g, '');
  await refused(request({ type: 'card', token: number }));
  await refused(story.call('PUT', '/v1/drivers/me', driver, { name: number, plate: 'T-1' }));
  await refused(
    story.call('POST', `/v1/rides/${rideId}/rating`, rider, { stars: 5, comment: `to ${cardNumber}` }),
  );
  await refused(story.call('POST', `/v1/rides/${rideId}/cancel`, rider, { reason: cardNumber }));
  const url = 'http://127.0.0.1:9/hook';
  await refused(story.call('POST', '/v1/webhooks', rider, { url, description: cardNumber }));
  const webhook = await story.insist('POST', '/v1/webhooks', rider, { url });
  found.endpointSecret = (webhook.body as unknown as { secret: string }).secret;

  // A card that the provider does not know ends the ride; the token went to it, and nowhere else that it need not be.
  const declined = await request({ type: 'card', token: found.unknownCard });
  await story.untilRide(declined.body.rideId, 'rider-1', ['payment_failed']);

  expect(await post('/v1/rides', { authorization: `Bearer ${found.badToken}` })).toBe(401);
  const event = JSON.stringify(
    providerEvent('payment_intent.succeeded', { object: { metadata: { rideId } } }),
  );
  const events = '/v1/providers/stripe/events';
  const signed = signatureOf(event, { secret: seeds.STRIPE_WEBHOOK_SECRET });
  expect(await post(events, { 'stripe-signature': signed }, event)).toBe(200);
  expect(
    await post(events, { 'stripe-signature': signatureOf(event, { secret: 'whsec_guess' }) }, event),
  ).toBe(400);
}

beforeAll(async () => {
  const dataDir = newDataDir();
  stack = await startWholeStack({
    dataDir,
    env: { LOG_LEVEL: 'trace', HAILWAY_KAFKA_SECURITY: 'yes', ...filesOf(seeds, dataDir) },
  });
  story = stackStory(stack);
  found.tokens = await Promise.all(
    [rider, driver, operator].map(([role, sub]) => stack.issuer.mintToken({ role, sub })),
  );
  const rideId = await wholeRide();
  await doors(rideId);
  // What was relayed to Kafka and kept by its consumers is searched, too.
  await eventually(async () => {
    const { body } = await story.call('GET', `/v1/ops/rides/${rideId}/timeline`, operator);
    const { facts } = body as unknown as { facts: { type: string }[] };
    return facts?.some(({ type }) => type === 'payment.refunded') || undefined;
  }, 60_000);
  places = await everywhere(stack);
});
afterAll(() => stack?.stop());

/** A text as a part of something in base64, wherever it begins there: the characters that depend on nothing else. */
const inBase64 = (text: string): string[] =>
  [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
    const sure = [Math.ceil((before * 4) / 3), Math.floor((bytes.length * 4) / 3)];
    return bytes.toString('base64').slice(...sure);
  });

/** Where a text is, as it is or in a form in which bytes are shown. */
const whereIs = (text: string): string[] => {
  const forms = [text, Buffer.from(text).toString('hex'), ...inBase64(text)];
  return places.filter((place) => forms.some((form) => place.text.includes(form))).map(({ name }) => name);
};

test('the search finds what is there, in every kind of place', () => {
  const names = (start: string) => places.filter(({ name }) => name.startsWith(start)).length;
  for (const kind of ['log ', 'database ', 'topic ', 'workflow ']) expect(names(kind)).toBeGreaterThan(1);
  const kinds = new Set(whereIs('rider-1').map((name) => name.split(' ')[0]));
  expect([...kinds].sort()).toEqual(['database', 'topic', 'workflow']);
  expect(whereIs('requestId').some((name) => name === 'log gateway')).toBe(true);
});

test.each(Object.entries(seeds))('%s is nowhere', (_name, value) => {
  expect(whereIs(value)).toEqual([]);
});

test("Kafka's passwords are nowhere", async () => {
  const passwords = Object.values(await kafkaLogins(stack.dataDir)).map(
    (login) => login.KAFKA_SASL_PASSWORD!,
  );
  expect(passwords.length).toBeGreaterThan(5);
  expect([...passwords, stack.kafka.sasl!.password].flatMap(whereIs)).toEqual([]);
});

test('no token that a caller came with is anywhere', () => {
  expect(whereIs(found.badToken)).toEqual([]);
  const jwt = /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/;
  expect(places.filter(({ text }) => jwt.test(text)).map(({ name }) => name)).toEqual([]);
});

test('a card number is nowhere, however it was offered', () => {
  expect([...whereIs(cardNumber), ...whereIs(cardNumber.replace(/ /g, ''))]).toEqual([]);
});

test('the secret of a webhook is only where its deliveries are signed', () => {
  expect(found.endpointSecret).not.toBe('');
  const elsewhere = whereIs(found.endpointSecret).filter(
    (name) => !name.startsWith('database notifications'),
  );
  expect(elsewhere).toEqual([]);
});

/**
 * The provider's token of a card is no secret of the rider's bank: with it alone nothing can be charged, it takes our
 * API key. The ride asks its payment for it, so it is in what steps remember, in the rows that are folded from that,
 * and in the workflows' arguments. In facts it leaves sealed.
 */
const mayHaveCardTokens = [
  /^database (rides|payments): public\.(rides|payments|steps|provider_cards)/,
  /^workflow (ride|payment)-/,
];

test.each(['unknownCard', 'goodCard'] as const)(
  'the token of a card is only where it must be: %s',
  (which) => {
    const where = whereIs(which === 'unknownCard' ? found.unknownCard : card.token);
    expect(where.length).toBeGreaterThan(0);
    expect(where.filter((name) => !mayHaveCardTokens.some((allowed) => allowed.test(name)))).toEqual([]);
  },
);

test('who is erased is left in histories only, which retention ends', async () => {
  const words = [card.token, found.unknownCard, 'a detour'];
  const sources = { apiUrl: stack.apiUrl, token: found.tokens[2]! };
  const look = (subject: string, dryRun: boolean) => askErasure(sources, subject, dryRun);
  expect(await look('driver-1', false)).toEqual({
    lines: ['driver-1 was not erased: Not yet.', '  shift driver-1'],
    done: false,
  });
  await story.insist('POST', '/v1/drivers/me/offline', driver, {});
  expect(await look('rider-1', true)).toEqual({
    lines: ['rider-1 can be erased: 2 rides, nothing under way.'],
    done: true,
  });
  for (const subject of ['rider-1', 'driver-1'])
    expect((await look(subject, false)).lines.join()).toMatch(/ is erased since 2\d{3}-/);

  places = await everywhere(stack);
  for (const word of words)
    expect([word, whereIs(word).filter((name) => !name.startsWith('workflow '))]).toEqual([word, []]);
  const again = await story.call('POST', '/v1/quotes', rider, { ...{ pickup: home, dropoff: home } });
  expect([again.status, again.body.type]).toEqual([410, expect.stringContaining('subject_erased')]);
});
