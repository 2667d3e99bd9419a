import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { providerEventLimitBytes } from '../../contracts/api/providerEvents';
import { standardPolicies } from '../../domain/policies';
import type { Listening } from '../../platform/http';
import type { Pool } from '../../platform/postgres';
import { storeIntentId } from '../../services/payments/books/paymentStore';
import { createTellNews, type TellNews } from '../../services/payments/news/tellNews';
import { quiet } from '../support/backbone';
import { eventDoor, eventTaken, keptEvent, postEvent } from '../support/eventDoor';
import { httpServers } from '../support/httpServers';
import { paymentsDatabase } from '../support/payments';
import { providerEvent, signatureOf } from '../support/providerEvents';

jest.setTimeout(60_000);

const start = httpServers(quiet);
let pool: Pool;
/** What was told, and who was told it; null where nobody waited. */
let told: { eventId: string; rideId: string | null }[] = [];
let toldTo: string | null = 'payment-1';

const tell: TellNews = async ({ news }, { rideId }) => {
  told.push({ eventId: news.eventId, rideId });
  return toldTo;
};

beforeAll(async () => void (pool = await paymentsDatabase()));
beforeEach(() => void ([told, toldTo] = [[], 'payment-1']));
afterAll(() => pool?.end());

const intake = (options: { tell?: TellNews; secret?: string } = {}): Promise<Listening> =>
  start(eventDoor({ pool, tell, ...options }));

const kept = (eventId: string) => keptEvent(pool, eventId);

const countKept = async (): Promise<number> => {
  const { rows } = await pool.query<{ count: number }>('select count(*) as count from provider_events');
  return rows[0]!.count;
};

test('an event is kept and told once, however often it comes', async () => {
  const server = await intake();
  const rideId = randomUUID();
  const event = providerEvent('payment_intent.canceled', { object: { metadata: { rideId } } });
  const body = JSON.stringify(event);
  expect(await postEvent(server, body)).toMatchObject(eventTaken);
  expect(await postEvent(server, body)).toMatchObject(eventTaken);
  expect(told).toEqual([{ eventId: event.id, rideId }]);
  expect(await kept(event.id)).toEqual({ type: event.type, ride: rideId, toldTo: 'payment-1', isTold: true });
});

test('ten at once are one row', async () => {
  const server = await intake();
  const event = providerEvent('payment_intent.succeeded');
  const body = JSON.stringify(event);
  const before = await countKept();
  const answers = await Promise.all(Array.from({ length: 10 }, () => postEvent(server, body)));
  expect(answers.map(({ status }) => status)).toEqual(Array<number>(10).fill(200));
  expect(await countKept()).toBe(before + 1);
});

test('what could not be told is told when it comes again', async () => {
  const connection = Connection.lazy({ address: '127.0.0.1:9' });
  const temporal = new Client({ connection });
  const away = await intake({
    tell: createTellNews({ pool, temporal, policies: standardPolicies, deadlineMs: 500 }),
  });
  const payoutId = randomUUID();
  const event = providerEvent('transfer.reversed', { object: { id: 'tr_1', metadata: { payoutId } } });
  const body = JSON.stringify(event);
  expect(await postEvent(away, body)).toMatchObject({
    status: 503,
    retryAfter: '1',
    body: { type: '/problems/dependency_unavailable' },
  });
  expect(await kept(event.id)).toMatchObject({ isTold: false });
  expect(await postEvent(await intake(), body)).toMatchObject(eventTaken);
  expect(await kept(event.id)).toMatchObject({ isTold: true });
  expect(told).toEqual([{ eventId: event.id, rideId: null }]);
  await connection.close();
});

test('whose it is: by the intent that is stored, or by what the provider was given', async () => {
  const server = await intake();
  const [stored, named] = [randomUUID(), randomUUID()];
  const intentId = `pi_${randomUUID().slice(0, 8)}`;
  await storeIntentId(pool, { paymentId: stored, purpose: 'hold', intentVersion: 1 }, intentId);
  const dispute = providerEvent('charge.dispute.created', {
    object: { id: 'du_1', payment_intent: intentId },
  });
  const intent = providerEvent('payment_intent.succeeded', { object: { metadata: { rideId: named } } });
  const both = providerEvent('payment_intent.succeeded', {
    object: { id: intentId, metadata: { rideId: named } },
  });
  const nobodys = providerEvent('charge.refunded', {
    object: { id: 'ch_1', payment_intent: 'pi_of_others' },
  });
  for (const event of [dispute, intent, both, nobodys]) await postEvent(server, JSON.stringify(event));
  expect(told.map(({ rideId }) => rideId)).toEqual([stored, named, stored, null]);
});

describe('refused with a problem, and nothing written', () => {
  const event = JSON.stringify(providerEvent('payment_intent.succeeded'));
  const signed = (body: string): [string, string] => [body, signatureOf(body)];
  test.each<[string, number, string, () => [string, string]]>([
    [
      'forged',
      400,
      'provider_signature_invalid',
      () => [event, signatureOf(event, { secret: 'whsec_guess' })],
    ],
    ['not signed', 400, 'provider_signature_invalid', () => [event, '']],
    ['with another body', 400, 'provider_signature_invalid', () => [`${event} `, signatureOf(event)]],
    ['signed in no form', 400, 'provider_signature_invalid', () => [event, 'v1=ab']],
    ['signed with nothing', 400, 'provider_signature_invalid', () => [event, 't=1,v1=']],
    ['replayed', 400, 'provider_signature_invalid', () => [event, signatureOf(event, { secondsAgo: 302 })]],
    ['empty', 400, 'provider_signature_invalid', () => ['', signatureOf(event)]],
    ['not JSON', 400, 'malformed_json', () => signed('{"id":')],
    ['no event', 400, 'validation_failed', () => signed('[]')],
    ['without a type', 400, 'validation_failed', () => signed(event.replace('"type"', '"kind"'))],
    ['too large', 413, 'body_too_large', () => signed(event + ' '.repeat(providerEventLimitBytes))],
  ])('%s', async (_what, status, code, make) => {
    const server = await intake();
    const before = await countKept();
    expect(await postEvent(server, ...make())).toMatchObject({ status, body: { type: `/problems/${code}` } });
    expect(await countKept()).toBe(before);
    expect(told).toEqual([]);
  });

  test('late says so, and tells nothing of the signature', async () => {
    const signature = signatureOf(event, { secondsAgo: 302 });
    const { body } = await postEvent(await intake(), event, signature);
    expect(body['detail']).toBe('it was signed too long ago');
    expect(JSON.stringify(body)).not.toContain(signature.slice(-20));
  });
});

test('signed just within the window is taken', async () => {
  const body = JSON.stringify(providerEvent('payment_intent.succeeded'));
  expect(await postEvent(await intake(), body, signatureOf(body, { secondsAgo: 290 }))).toMatchObject(
    eventTaken,
  );
});

test('a large one is taken: evidence of a dispute may be long', async () => {
  const body = JSON.stringify(
    providerEvent('charge.dispute.updated', {
      object: { evidence: { uncategorized_text: 'x'.repeat(150_000) } },
    }),
  );
  expect(await postEvent(await intake(), body)).toMatchObject(eventTaken);
});

test.each([
  ['of a kind that we do not follow', providerEvent('customer.created')],
  ['about an object without an id', providerEvent('balance.available', { object: { id: undefined } })],
  ['about a transfer that is none of ours', providerEvent('transfer.reversed', { object: { id: 'tr_2' } })],
])('what is %s is taken, so that it does not come for days, and nothing is written', async (_what, event) => {
  const server = await intake();
  const before = await countKept();
  expect(await postEvent(server, JSON.stringify(event))).toMatchObject(eventTaken);
  expect({ written: (await countKept()) - before, told }).toEqual({ written: 0, told: [] });
});

test('without a secret there is no such address', async () => {
  const body = JSON.stringify(providerEvent('payment_intent.succeeded'));
  expect(await postEvent(await intake({ secret: '' }), body)).toMatchObject({ status: 404 });
});
