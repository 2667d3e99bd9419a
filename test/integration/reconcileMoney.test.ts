import { randomUUID } from 'node:crypto';
import type { Drift } from '../../domain/reconciliation';
import { reconcileWith } from '../../tools/cli/reconcile';
import { eventually } from '../support/rideSaga';
import { startReconcileGround, type ReconcileGround } from '../support/reconcileGround';

jest.setTimeout(60_000);

let ground: ReconcileGround;
beforeAll(async () => {
  ground = await startReconcileGround();
});
afterAll(() => ground?.stop());

/** Money of a ride that somebody has moved at the provider, beside the house. */
const intent = (rideId: string, changes: object = {}) =>
  ground.psp.stripe.paymentIntents.create({
    ...{ amount: 700, currency: 'usd', capture_method: 'manual', confirm: true, off_session: true },
    ...{ payment_method: 'pm_card_visa', allowed_payment_method_types: ['card'], metadata: { rideId } },
    ...changes,
  });

const intentOf = async (rideId: string): Promise<string> => {
  const { rows } = await ground.pool.query<{ id: string }>(
    'select intent_id as id from provider_intents where payment_id = $1',
    [rideId],
  );
  return rows[0]!.id;
};

/** What a run with repairs leaves of what it finds about these. */
async function repaired(...ids: string[]): Promise<{ found: Drift[]; left: Drift[]; tried: unknown[] }> {
  const report = await reconcileWith(ground.reconciler, ground.order({ repairs: true }));
  expect(report.unseen).toEqual([]);
  const ours = report.findings.filter(({ drift }) => Object.values(drift.ids).some((id) => ids.includes(id)));
  return {
    found: ours.map(({ drift }) => drift),
    left: ours.filter((finding) => !finding.repaired).map(({ drift }) => drift),
    tried: ours.map(({ tried }) => tried),
  };
}

test('money of a ride that we do not know is named and left alone', async () => {
  const rideId = randomUUID();
  const { id } = await intent(rideId);
  await intent(randomUUID(), { metadata: {} });
  const { left, tried } = await repaired(rideId);
  expect(left).toMatchObject([{ kind: 'intent_unknown', ids: { rideId, intentId: id }, byMinor: 700 }]);
  expect(tried).toEqual([undefined]);
  expect((await ground.psp.stripe.paymentIntents.retrieve(id)).status).toBe('requires_capture');
});

test('a hold that a released payment has left open is released; one that is under way is not', async () => {
  const [rideId, underWay] = [await ground.voided(), await ground.authorized()];
  const { id } = await intent(rideId);
  const { found, left } = await repaired(rideId, underWay);
  expect(found).toMatchObject([{ kind: 'hold_left_open', ids: { intentId: id }, byMinor: 700 }]);
  expect(left).toEqual([]);
  expect((await ground.psp.stripe.paymentIntents.retrieve(id)).status).toBe('canceled');
  const held = await ground.psp.stripe.paymentIntents.retrieve(await intentOf(underWay));
  expect(held.status).toBe('requires_capture');
});

test('a hold that is gone is held anew by its payment', async () => {
  const rideId = await ground.authorized();
  await ground.psp.stripe.paymentIntents.cancel(await intentOf(rideId));
  const { found, left, tried } = await repaired(rideId);
  expect(found).toMatchObject([{ kind: 'hold_gone', byMinor: -1_500 }]);
  expect(tried).toEqual(['its workflow was told to look']);
  expect(left).toEqual([]);
});

test('another amount is held than the payment counts on', async () => {
  const rideId = await ground.authorized();
  await ground.psp.stripe.paymentIntents.incrementAuthorization(await intentOf(rideId), { amount: 1_900 });
  expect(await ground.drifts('provider', rideId)).toMatchObject([{ kind: 'hold_differs', byMinor: 400 }]);
});

test('taken at the provider and not booked: nobody books it by hand', async () => {
  const [voided, authorized] = [await ground.voided(), await ground.authorized()];
  await intent(voided, { capture_method: 'automatic' });
  await ground.psp.stripe.paymentIntents.capture(await intentOf(authorized), { amount_to_capture: 900 });
  const booked = async () =>
    (await ground.pool.query<{ n: number }>('select count(*) as n from ledger_transactions')).rows[0]!.n;
  const before = await booked();
  const { left } = await repaired(voided, authorized);
  expect(left).toMatchObject([
    { kind: 'capture_differs', ids: { rideId: voided }, byMinor: 700, action: 'refund it at the provider' },
    { kind: 'capture_differs', ids: { rideId: authorized }, byMinor: 900 },
  ]);
  expect(left.map(({ repair }) => repair?.does)).toEqual([undefined, 'tell_workflow']);
  expect(await booked()).toBe(before);
});

const at = '2026-03-01T12:00:00.000Z';

test('money of ours that the provider does not know', async () => {
  const rideId = await ground.captured();
  const tipMinor = 250;
  await ground.commit(rideId, {
    ...{ type: 'payment.tip_charged', at },
    data: { intentId: 'pi_none', tipMinor, currency: 'USD', driverId: 'driver-1' },
  });
  await ground.commit(rideId, {
    ...{ type: 'payment.refunded', at },
    data: {
      ...{ refundId: 're_none', amountMinor: 100, currency: 'USD', reason: 'by hand' },
      intentId: await intentOf(rideId),
    },
  });
  expect(await ground.drifts('provider', rideId)).toMatchObject([
    { kind: 'unknown_to_provider', ids: { rideId, intentId: 'pi_none' }, byMinor: -250, currency: 'USD' },
    { kind: 'unknown_to_provider', ids: { rideId, refundId: 're_none' } },
  ]);
});

test('less was taken at the provider than is booked', async () => {
  const rideId = await ground.captured();
  await ground.commit(rideId, {
    ...{ type: 'payment.collected', at },
    data: { intentId: await intentOf(rideId), amountMinor: 120, currency: 'USD' },
  });
  const [drift] = await ground.drifts('provider', rideId);
  expect(drift).toMatchObject({ kind: 'capture_differs', byMinor: -120 });
  expect(drift!.repair).toBeUndefined();
});

test('what a run has found is a fact before anything is repaired, and how it ended is one', async () => {
  const rideId = await ground.voided();
  const { id } = await intent(rideId);
  const order = ground.order({ repairs: true });
  await reconcileWith(ground.reconciler, order);
  const facts = await eventually(async () => {
    const { rows } = await ground.pool.query<{ type: string; data: Record<string, unknown> }>(
      `select fact_type as type, fact -> 'data' as data from steps where aggregate_id = $1 order by version`,
      [order.runId],
    );
    return rows.at(-1)?.type === 'reconciliation.finished' ? rows : undefined;
  });
  expect(facts[0]).toEqual({
    type: 'reconciliation.started',
    data: { runId: order.runId, since: order.since, repairs: true },
  });
  expect(facts.map(({ data }) => data)).toContainEqual(
    expect.objectContaining({ kind: 'hold_left_open', ids: { rideId, intentId: id }, safe: true }),
  );
  const {
    found,
    repaired: mended,
    left,
  } = facts.at(-1)!.data as { found: number; repaired: number; left: object };
  expect(found).toBeGreaterThanOrEqual(1);
  expect(mended).toBeGreaterThanOrEqual(1);
  expect(left).not.toHaveProperty('hold_left_open');
  expect(facts.map(({ data }) => data)).toContainEqual({
    ...{ kind: 'hold_left_open', ids: { rideId, intentId: id }, repaired: true },
    since: expect.any(String) as string,
  });
  await ground.relayed();
  expect(await ground.drifts('log', order.runId)).toEqual([]);
});

test.each([
  ['a dispute', false, { byMinor: 1_500, says: 'the bank has taken money back, and it is not booked' }],
  ['an inquiry', true, { says: 'the bank asks about a charge, and nobody knows of it' }],
])('%s of which nobody has told us is opened by its workflow', async (_, inquiry, differs) => {
  const rideId = await ground.captured();
  const paymentIntent = await intentOf(rideId);
  await ground.psp.post('/sandbox/disputes', { paymentIntent, inquiry });
  const { found, left, tried } = await repaired(rideId);
  expect(found).toMatchObject([{ kind: 'dispute_differs', ...differs }]);
  expect(tried).toEqual(['its workflow was told to look']);
  expect(left).toEqual([]);
  const { rows } = await ground.pool.query('select status from disputes where ride_id = $1', [rideId]);
  expect(rows).toEqual([{ status: inquiry ? 'inquiry' : 'needs_response' }]);
});
