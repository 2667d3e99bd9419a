import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { problemPages } from '../../contracts/api/problems';
import { providerEventLimitBytes } from '../../contracts/api/providerEvents';
import { paymentWorkflowId, providerNews } from '../../domain/names';
import type { Payment } from '../../domain/payment';
import { standardPolicies } from '../../domain/policies';
import { createMount, type Listening } from '../../platform/http';
import type { Pool } from '../../platform/postgres';
import { providerEventRoutes } from '../../services/payments/news/providerEventRoutes';
import { storeIntentId } from '../../services/payments/books/paymentStore';
import { createTellNews, type TellNews } from '../../services/payments/news/tellNews';
import { quiet } from '../support/backbone';
import { httpServers } from '../support/httpServers';
import { paymentOrder, paymentsDatabase } from '../support/payments';
import { providerEvent, signatureOf, webhookSecret } from '../support/providerEvents';
import { temporalAddress } from '../support/servers';

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
  start({
    problems: problemPages,
    rawRoutes: (router) =>
      providerEventRoutes(
        router,
        createMount(router, () => () => undefined),
        { pool, secret: webhookSecret, tell, ...options },
      ),
  });

async function post({ url }: Listening, body: string, signature = signatureOf(body)) {
  const response = await fetch(`${url}/v1/providers/stripe/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature },
    body,
  });
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    body: (await response.json()) as Record<string, unknown>,
  };
}

const taken = { status: 200, body: { received: true } };

interface Kept {
  type: string;
  ride: string | null;
  toldTo: string | null;
  isTold: boolean;
}

const kept = async (eventId: string): Promise<Kept | undefined> => {
  const { rows } = await pool.query<Kept>(
    `select type, ride_id as ride, told_to as "toldTo", told_at is not null as "isTold"
     from provider_events where event_id = $1`,
    [eventId],
  );
  return rows[0];
};

const countKept = async (): Promise<number> => {
  const { rows } = await pool.query<{ count: number }>('select count(*) as count from provider_events');
  return rows[0]!.count;
};

test('an event is kept and told once, however often it comes', async () => {
  const server = await intake();
  const rideId = randomUUID();
  const event = providerEvent('payment_intent.canceled', { object: { metadata: { rideId } } });
  const body = JSON.stringify(event);
  expect(await post(server, body)).toMatchObject(taken);
  expect(await post(server, body)).toMatchObject(taken);
  expect(told).toEqual([{ eventId: event.id, rideId }]);
  expect(await kept(event.id)).toEqual({ type: event.type, ride: rideId, toldTo: 'payment-1', isTold: true });
});

test('ten at once are one row', async () => {
  const server = await intake();
  const event = providerEvent('payment_intent.succeeded');
  const body = JSON.stringify(event);
  const before = await countKept();
  const answers = await Promise.all(Array.from({ length: 10 }, () => post(server, body)));
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
  expect(await post(away, body)).toMatchObject({
    status: 503,
    retryAfter: '1',
    body: { type: '/problems/dependency_unavailable' },
  });
  expect(await kept(event.id)).toMatchObject({ isTold: false });
  expect(await post(await intake(), body)).toMatchObject(taken);
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
  for (const event of [dispute, intent, both, nobodys]) await post(server, JSON.stringify(event));
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
    ['replayed', 400, 'provider_signature_invalid', () => [event, signatureOf(event, { secondsAgo: 302 })]],
    ['empty', 400, 'provider_signature_invalid', () => ['', signatureOf(event)]],
    ['not JSON', 400, 'malformed_json', () => signed('{"id":')],
    ['no event', 400, 'validation_failed', () => signed('[]')],
    ['without a type', 400, 'validation_failed', () => signed(event.replace('"type"', '"kind"'))],
    ['too large', 413, 'body_too_large', () => signed(event + ' '.repeat(providerEventLimitBytes))],
  ])('%s', async (_what, status, code, make) => {
    const server = await intake();
    const before = await countKept();
    expect(await post(server, ...make())).toMatchObject({ status, body: { type: `/problems/${code}` } });
    expect(await countKept()).toBe(before);
    expect(told).toEqual([]);
  });

  test('late says so, and tells nothing of the signature', async () => {
    const signature = signatureOf(event, { secondsAgo: 302 });
    const { body } = await post(await intake(), event, signature);
    expect(body['detail']).toBe('it was signed too long ago');
    expect(JSON.stringify(body)).not.toContain(signature.slice(-20));
  });
});

test('signed just within the window is taken', async () => {
  const body = JSON.stringify(providerEvent('payment_intent.succeeded'));
  expect(await post(await intake(), body, signatureOf(body, { secondsAgo: 290 }))).toMatchObject(taken);
});

test('a large one is taken: evidence of a dispute may be long', async () => {
  const body = JSON.stringify(
    providerEvent('charge.dispute.updated', {
      object: { evidence: { uncategorized_text: 'x'.repeat(150_000) } },
    }),
  );
  expect(await post(await intake(), body)).toMatchObject(taken);
});

test.each([
  ['of a kind that we do not follow', providerEvent('customer.created')],
  ['about an object without an id', providerEvent('balance.available', { object: { id: undefined } })],
  ['about a transfer that is none of ours', providerEvent('transfer.reversed', { object: { id: 'tr_2' } })],
])('what is %s is taken, so that it does not come for days, and nothing is written', async (_what, event) => {
  const server = await intake();
  const before = await countKept();
  expect(await post(server, JSON.stringify(event))).toMatchObject(taken);
  expect({ written: (await countKept()) - before, told }).toEqual({ written: 0, told: [] });
});

test('without a secret there is no such address', async () => {
  const body = JSON.stringify(providerEvent('payment_intent.succeeded'));
  expect(await post(await intake({ secret: '' }), body)).toMatchObject({ status: 404 });
});

describe('who is told', () => {
  let temporal: Client;
  beforeAll(
    () => void (temporal = new Client({ connection: Connection.lazy({ address: temporalAddress() }) })),
  );
  afterAll(() => temporal.connection.close());

  /** A payment's row, and a workflow of its name that nobody carries: what it was told is in its history. */
  async function paymentThatIs(status: Payment['status'], intentId = 'pi_1'): Promise<string> {
    const { rideId } = paymentOrder();
    await pool.query('insert into payments (payment_id, version, state) values ($1, 1, $2)', [
      rideId,
      JSON.stringify({ rideId, version: 1, status, intentId }),
    ]);
    await temporal.workflow.start('nobodys', {
      workflowId: paymentWorkflowId(rideId),
      taskQueue: `nobodys-${rideId}`,
    });
    return rideId;
  }

  const heard = async (workflowId: string): Promise<unknown[]> => {
    const { events = [] } = await temporal.workflow.getHandle(workflowId).fetchHistory();
    return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
      signal?.signalName === providerNews
        ? [JSON.parse(Buffer.from(signal.input!.payloads![0]!.data!).toString()) as unknown]
        : [],
    );
  };

  const asked = () =>
    intake({ tell: createTellNews({ pool, temporal, policies: standardPolicies, deadlineMs: 5_000 }) });

  test.each<[Payment['status'], string, boolean]>([
    ['action_required', 'payment_intent.amount_capturable_updated', true],
    ['action_required', 'payment_intent.payment_failed', true],
    ['unresolved', 'payment_intent.succeeded', true],
    ['unresolved', 'refund.created', true],
    ['authorized', 'payment_intent.canceled', true],
    ['captured', 'refund.failed', true],
    ['authorizing', 'payment_intent.amount_capturable_updated', false],
    ['authorized', 'payment_intent.amount_capturable_updated', false],
    ['captured', 'payment_intent.succeeded', false],
    ['voided', 'payment_intent.canceled', false],
  ])('a payment that is %s hears of %s: %s', async (status, type, isTold) => {
    const rideId = await paymentThatIs(status);
    const object = type.startsWith('refund.')
      ? { id: 're_1', payment_intent: 'pi_1', metadata: { rideId } }
      : { id: 'pi_1', metadata: { rideId } };
    const event = providerEvent(type, { object });
    expect(await post(await asked(), JSON.stringify(event))).toMatchObject(taken);
    const workflowId = paymentWorkflowId(rideId);
    expect(await heard(workflowId)).toEqual(isTold ? [{ eventId: event.id, type, objectId: object.id }] : []);
    expect(await kept(event.id)).toMatchObject({ isTold: true, toldTo: isTold ? workflowId : null });
    await temporal.workflow.getHandle(workflowId).terminate();
  });

  test('nobody where the payment is over, or there is none', async () => {
    const rideId = await paymentThatIs('unresolved');
    await temporal.workflow.getHandle(paymentWorkflowId(rideId)).terminate();
    for (const metadata of [{ rideId }, { rideId: randomUUID() }, {}]) {
      const event = providerEvent('payment_intent.succeeded', { object: { metadata } });
      expect(await post(await asked(), JSON.stringify(event))).toMatchObject(taken);
      expect(await kept(event.id)).toMatchObject({ isTold: true, toldTo: null });
    }
  });

  test('news of a dispute or a payout begins its workflow', async () => {
    const payoutId = randomUUID();
    const disputeId = `du_${randomUUID().slice(0, 8)}`;
    const intentId = `pi_${randomUUID().slice(0, 8)}`;
    const ref = { paymentId: randomUUID(), purpose: 'hold', intentVersion: 1 } as const;
    await storeIntentId(pool, ref, intentId);
    const server = await asked();
    const dispute = providerEvent('charge.dispute.created', {
      object: { id: disputeId, payment_intent: intentId },
    });
    const transfer = providerEvent('transfer.reversed', { object: { id: 'tr_1', metadata: { payoutId } } });
    for (const event of [dispute, transfer]) {
      expect(await post(server, JSON.stringify(event))).toMatchObject(taken);
    }
    for (const [workflowId, event] of [
      [`dispute-${disputeId}`, dispute],
      [`payout-${payoutId}`, transfer],
    ] as const) {
      const { id: eventId, type } = event;
      expect(await heard(workflowId)).toEqual([{ eventId, type, objectId: event.data.object.id }]);
      await temporal.workflow.getHandle(workflowId).terminate();
    }
  });
});
