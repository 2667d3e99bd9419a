import { randomUUID } from 'node:crypto';
import { standardPolicies } from '../../domain/policies';
import { paymentOperatorRoutes } from '../../services/payments/routes/operatorRoutes';
import { startRealPayments, type RealPayments } from '../support/realPayments';
import { play, standardRide } from '../support/rides';
import { serveRoutes, type ServedRoutes } from '../support/routes';

jest.setTimeout(90_000);

let real: RealPayments;
let routes: ServedRoutes;

beforeAll(async () => {
  real = await startRealPayments();
  routes = await serveRoutes('ops-1', (mount) =>
    paymentOperatorRoutes(mount, {
      payments: real.pool,
      policies: standardPolicies,
      temporal: real.saga.client,
      deadlineMs: 5_000,
      rideOf: (_caller, rideId) => Promise.resolve({ ...play(standardRide).ride, rideId }),
    }),
  );
});
afterEach(() => real.psp.clearFaults());
afterAll(async () => {
  await routes?.close();
  await real?.stop();
});

const act = (rideId: string, action: string, body?: object, key?: string) =>
  routes.call('POST', `/v1/ops/payments/${rideId}/${action}`, { ...(body && { body }), ...(key && { key }) });

const refusedWith = (status: number, code: string) => ({ status, body: { type: `/problems/${code}` } });

/** A payment that nobody knows the outcome of: the provider is away while it is asked for the hold. */
async function unresolved(): Promise<string> {
  const path = '/v1/payment_intents/*/confirm';
  await real.psp.fault({ match: { method: 'POST', path }, kind: 'unavailable', times: 1_000 });
  const rideId = await real.saga.open();
  await real.untilStatus(rideId, 'unresolved');
  return rideId;
}

/** A ride that is over, and was charged. */
async function captured(amountMinor: number, more: object = {}): Promise<string> {
  const rideId = await real.saga.open();
  await real.untilTold(rideId);
  await real.saga.rideEnded(rideId, { amountMinor, driverId: 'driver-1', ...more });
  await real.untilStatus(rideId, 'captured');
  return rideId;
}

test('a retry has the provider asked at once', async () => {
  const rideId = await unresolved();
  await real.psp.clearFaults();
  expect(await act(rideId, 'retry')).toMatchObject({ status: 200, body: { rideId } });
  await real.untilStatus(rideId, 'authorized');
  expect(await act(rideId, 'retry')).toMatchObject(refusedWith(409, 'retry_not_possible'));
});

test('an operator says what became of a call, with evidence', async () => {
  const rideId = await unresolved();
  const evidence = 'support case 17: no charge';
  expect(await act(rideId, 'resolve', { outcome: 'happened', evidence })).toMatchObject(
    refusedWith(409, 'resolve_not_possible'),
  );
  expect(await act(rideId, 'resolve', { outcome: 'did_not_happen', evidence })).toMatchObject({
    status: 200,
    body: { rideId, unresolvedSince: null },
  });
  const { failureReason } = await real.untilStatus(rideId, 'failed');
  expect(failureReason).toBe('resolved_by_operator');
});

test('a charge that is another ride’s is not taken for the one in doubt', async () => {
  const [rideId, other] = [await captured(1_200), await captured(1_200)];
  const path = '/v1/payment_intents/*/confirm';
  await real.psp.fault({ match: { method: 'POST', path }, kind: 'unavailable', times: 1_000 });
  const tip = real.saga.tip(rideId, 300);
  await real.untilStatus(rideId, 'unresolved');
  const { rows } = await real.pool.query<{ id: string; rideId: string }>(
    `select intent_id as id, payment_id as "rideId" from provider_intents
     where payment_id = any ($1) and (purpose = 'tip') = (payment_id = $2)`,
    [[rideId, other], rideId],
  );
  const idOf = (ofRide: string) => rows.find((row) => row.rideId === ofRide)!.id;
  const word = (objectId: string) => ({ outcome: 'happened', evidence: 'the dashboard', objectId });
  for (const wrong of [idOf(other), 'pi_of_nobody'])
    expect(await act(rideId, 'resolve', word(wrong))).toMatchObject(refusedWith(409, 'resolve_not_possible'));
  expect(await act(rideId, 'resolve', word(idOf(rideId)))).toMatchObject({ status: 200 });
  expect(await tip).toMatchObject({ tipMinor: 300 });
});

test('what is not in doubt takes no word of anybody', async () => {
  const rideId = await captured(1_200);
  const word = { outcome: 'did_not_happen', evidence: 'a statement' };
  expect(await act(rideId, 'resolve', word)).toMatchObject(refusedWith(409, 'resolve_not_possible'));
});

test('a fee is waived once, and a ride without one has none', async () => {
  const fee = await captured(500, { for: 'cancellation_fee' });
  const waived = await act(fee, 'waive', { reason: 'the driver was late' });
  expect(waived).toMatchObject({ status: 200, body: { status: 'refunded', refundedMinor: 500 } });
  expect(await act(fee, 'waive', { reason: 'the driver was late' })).toEqual(waived);
  const fare = await captured(1_200);
  expect(await act(fare, 'waive', { reason: 'x' })).toMatchObject(refusedWith(409, 'waive_not_possible'));
});

test('an adjustment down gives back, one up charges; each once for its key', async () => {
  const rideId = await captured(1_200);
  const down = { toMinor: 1_000, reason: 'a detour' };
  const lower = await act(rideId, 'adjust', down, 'key-1');
  expect(lower).toMatchObject({ status: 200, body: { capturedMinor: 1_200, refundedMinor: 200 } });
  expect(await act(rideId, 'adjust', down, 'key-1')).toEqual(lower);
  expect(await act(rideId, 'adjust', { ...down, toMinor: 900 }, 'key-1')).toMatchObject(
    refusedWith(422, 'idempotency_key_reused'),
  );
  expect(await act(rideId, 'adjust', { toMinor: 1_300, reason: 'tolls' }, 'key-2')).toMatchObject({
    status: 200,
    body: { capturedMinor: 1_500, refundedMinor: 200 },
  });
});

test('a payment that is under way cannot be adjusted', async () => {
  const rideId = await real.saga.open();
  await real.untilStatus(rideId, 'authorized');
  const adjusted = await act(rideId, 'adjust', { toMinor: 1_000, reason: 'x' }, 'key-1');
  expect(adjusted).toMatchObject(refusedWith(409, 'adjust_not_possible'));
});

test.each(['retry', 'resolve', 'waive', 'adjust'])('%s of what there is not', async (action) => {
  const body = {
    retry: undefined,
    resolve: { outcome: 'happened', evidence: 'x' },
    waive: { reason: 'x' },
    adjust: { toMinor: 1, reason: 'x' },
  }[action];
  expect(await act(randomUUID(), action, body, 'key-1')).toMatchObject(refusedWith(404, 'payment_not_found'));
});
