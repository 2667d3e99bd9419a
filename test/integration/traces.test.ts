import { createPool } from '../../platform/postgres';
import type { Stack } from '../../tools/stack/stack';
import { eventually } from '../support/rideSaga';
import { spanReceiver, type ReceivedSpan } from '../support/spanReceiver';
import { card, stackStory, type StackStory } from '../support/stackStory';
import { startWholeStack } from '../support/wholeStack';

/** A ride on a whole stack, as a collector of traces sees it. */

jest.setTimeout(180_000);

let stack: Stack;
let story: StackStory;
let receiver: Awaited<ReturnType<typeof spanReceiver>>;
let rideId: string;

beforeAll(async () => {
  receiver = await spanReceiver();
  stack = await startWholeStack({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '200' },
  });
  story = stackStory(stack);
  await story.driver('driver-1');
  rideId = await story.ride('rider-1');
  await story.untilRide(rideId, 'rider-1', ['matching']);
  const pool = createPool(stack.databaseUrls.rides, { applicationName: 'test', max: 1 });
  const offerId = await eventually(async () => {
    const { rows } = await pool.query<{ id: string }>(
      `select offer_id as id from offers where state = 'offered'`,
    );
    return rows[0]?.id;
  }, 30_000);
  await pool.end();
  await story.insist('POST', `/v1/offers/${offerId}/accept`, ['driver', 'driver-1']);
  await story.untilRide(rideId, 'rider-1', ['assigned']);
});
afterAll(async () => {
  await stack?.stop();
  await receiver?.stop();
});

/** `service: name`, without what all services' names begin with. */
const nameOf = ({ service, name }: ReceivedSpan): string => `${service.replace('hailway-', '')}: ${name}`;

/** The way from the door to a span, through the parents. */
function wayTo(span: ReceivedSpan): string[] {
  const parent = receiver.spans.find(
    ({ spanId, traceId }) => spanId === span.parentSpanId && traceId === span.traceId,
  );
  const root = span.parentSpanId === '' ? [] : ['?'];
  return [...(parent ? wayTo(parent) : root), nameOf(span)];
}

/** The ways to the spans of this name in a trace, once the whole of the expected one is there. */
const walked = (door: string, last: string, expected: readonly string[]): Promise<ReceivedSpan> =>
  eventually(async () => {
    const doors = receiver.spans.filter((span) => nameOf(span) === door && span.parentSpanId === '');
    return receiver.spans.find(
      (span) =>
        nameOf(span) === last &&
        doors.some(({ traceId }) => traceId === span.traceId) &&
        JSON.stringify(wayTo(span)) === JSON.stringify(expected),
    );
  }, 30_000).catch((error: unknown) => {
    const seen = receiver.spans
      .filter((span) => nameOf(span) === last)
      .map((span) => wayTo(span).join(' > '));
    throw new Error(`seen instead: ${[...new Set(seen)].join('; ') || 'nothing'}`, { cause: error });
  });

const request = [
  'gateway: POST /v1/rides',
  'gateway: UpdateWithStartWorkflow:ride',
  'rides: RunWorkflow:ride',
] as const;

test('a fact says who has asked for it, and nobody where a saga came to it by itself', async () => {
  const pool = createPool(stack.databaseUrls.audit, { applicationName: 'test', max: 1 });
  const callers = await eventually(async () => {
    const { rows } = await pool.query<{ type: string; caller: string | null }>(
      'select type, caller from facts where key = $1',
      [rideId],
    );
    const found = Object.fromEntries(rows.map(({ type, caller }) => [type, caller]));
    return 'ride.driver_assigned' in found ? found : undefined;
  }, 30_000).finally(() => pool.end());
  expect(callers).toMatchObject({
    'ride.requested': 'rider:rider-1',
    'ride.matching_started': null,
    'ride.driver_assigned': 'driver:driver-1',
  });
});

test('one trace from the request of a ride to the consumer of its first fact', async () => {
  const made = [...request, 'rides: RunActivity:request', 'rides: create rides'];
  const audited = [...made, 'audit: process rides'];
  const span = await walked(request[0], 'audit: process rides', audited);
  await walked(request[0], 'relay: send rides', [...made, 'relay: send rides']);
  expect({ kind: span.kind, ...span.attributes }).toMatchObject({
    kind: 5,
    'messaging.system': 'kafka',
    'messaging.operation.name': 'process',
    'messaging.consumer.group.name': expect.stringContaining('audit'),
    'messaging.destination.name': 'rides',
  });
});

test('the same trace has the payment, from its start by the ride to the provider and its facts', async () => {
  const payment = [
    ...request,
    'rides: RunActivity:startPayment',
    'rides: StartWorkflow:payment',
    'payments: RunWorkflow:payment',
  ];
  await walked(request[0], 'payments: POST', [
    ...payment,
    'payments: RunActivity:authorize',
    'payments: POST',
  ]);
  await walked(request[0], 'payments: SignalWorkflow:paymentAuthorized', [
    ...payment,
    'payments: RunActivity:tellRide',
    'payments: SignalWorkflow:paymentAuthorized',
  ]);
  await walked(request[0], 'rides: HandleSignal:paymentAuthorized', [
    ...payment,
    'payments: RunActivity:tellRide',
    'payments: SignalWorkflow:paymentAuthorized',
    'rides: HandleSignal:paymentAuthorized',
  ]);
  await walked(request[0], 'audit: process payments', [
    ...payment,
    'payments: RunActivity:openPayment',
    'payments: create payments',
    'audit: process payments',
  ]);
});

test('a driver’s accept is a trace of its own, through the Update to the fact that comes of it', async () => {
  const accept = 'gateway: POST /v1/offers/{offerId}/accept';
  await walked(accept, 'audit: process rides', [
    accept,
    'gateway: UpdateWorkflow:offerAccepted',
    'rides: HandleUpdate:offerAccepted',
    'rides: RunActivity:assignDriver',
    'rides: create rides',
    'audit: process rides',
  ]);
});

test('a call to another service goes on there', async () => {
  const quote = 'gateway: POST /v1/quotes';
  await walked(quote, 'pricing: POST /internal/quotes', [
    quote,
    'gateway: POST',
    'pricing: POST /internal/quotes',
  ]);
});

test('facts keep the trace that they were made in', async () => {
  const { traceId } = receiver.spans.find((span) => nameOf(span) === request[0])!;
  const pool = createPool(stack.databaseUrls.audit, { applicationName: 'test', max: 1 });
  const { rows } = await pool.query<{ traceparent: string }>(
    `select headers ->> 'traceparent' as traceparent from facts where key = $1 order by sequence`,
    [rideId],
  );
  await pool.end();
  expect(rows[0]!.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
});

test('no span says anything about a person, a place or a card', () => {
  const text = receiver.text();
  expect(text.length).toBeGreaterThan(1_000);
  for (const secret of [card.token, '40.73', '-73.99', 'rider-1', 'driver-1'])
    expect(text).not.toContain(secret);
});
