import { randomUUID } from 'node:crypto';
import { createPaymentActivities, type PaymentTransitions } from '../../activities/payments';
import { receiptView } from '../../contracts/api/receipts';
import { stepId } from '../../domain/names';
import { paymentSteps, type PaymentFact } from '../../domain/paymentFacts';
import { cashSettledData } from '../../domain/paymentPlan';
import type { Ride, RideCommand } from '../../domain/ride';
import { outcomeOf } from '../../domain/settlement';
import type { Pool } from '../../platform/postgres';
import { receiptRoute } from '../../services/payments/routes/receiptRoute';
import { paymentsDatabase } from '../support/payments';
import { at, play, standardRide } from '../support/rides';
import { serveRoutes, type ServedRoutes } from '../support/routes';
import { vaultInMemory } from '../../tools/vaultInMemory';

let payments: Pool;
let routes: ServedRoutes;
let transitions: PaymentTransitions;
/** What the rides database has. */
const rides = new Map<string, Ride>();

beforeAll(async () => {
  payments = await paymentsDatabase();
  ({ transitions } = createPaymentActivities({
    pool: payments,
    vault: vaultInMemory(),
    provider: undefined as never,
  }));
  routes = await serveRoutes('rider-1', (mount) =>
    receiptRoute(mount, { payments, rideOf: (_caller, rideId) => Promise.resolve(rides.get(rideId)!) }),
  );
});
afterAll(async () => {
  await routes?.close();
  await payments?.end();
});

const rideOf = (commands: readonly RideCommand[]): Ride => {
  const ride = { ...play(commands).ride, rideId: randomUUID() };
  rides.set(ride.rideId, ride);
  return ride;
};

async function recorded(rideId: string, facts: readonly [PaymentFact['type'], object][]): Promise<void> {
  for (const [version, [type, data]] of facts.entries()) {
    const step = paymentSteps[type];
    await transitions[step]({
      stepId: stepId(rideId, step, version),
      aggregateId: rideId,
      expectedVersion: version,
      fact: { type, at: at(version), data } as PaymentFact,
    });
  }
}

const receipt = (rideId: string) => routes.call('GET', `/v1/rides/${rideId}/receipt`);

test('a ride that goes on has none yet', async () => {
  const { rideId } = rideOf(standardRide.slice(0, 5));
  expect(await receipt(rideId)).toMatchObject({
    status: 409,
    body: { code: 'receipt_not_ready', status: 409, rideStatus: 'in_progress' },
  });
});

test('what a ride came to, and what is paid of it, from the committed facts of its payment', async () => {
  const ride = rideOf(standardRide);
  const { rideId, riderId } = ride;
  const order = { rideId, riderId, method: { type: 'cash' }, amountMinor: 1_850, currency: 'USD' } as const;
  const owed = { rideId, currency: 'USD', totalMinor: 1_500, lines: [{ kind: 'base', amountMinor: 1_500 }] };
  await recorded(rideId, [['payment.opened', order]]);
  expect(await receipt(rideId)).toMatchObject({
    status: 200,
    body: { ...owed, paidMinor: 0, dueMinor: 1_500 },
  });

  const { currency } = order;
  const settled = cashSettledData({ currency }, outcomeOf(ride), 2_000);
  await recorded(rideId, [
    ['payment.opened', order],
    ['payment.cash_settled', settled],
  ]);
  const { status, body } = await receipt(rideId);
  expect(status).toBe(200);
  expect(receiptView.parse(body)).toEqual({
    ...owed,
    endedAt: ride.endedAt,
    paymentMethod: 'cash',
    paidMinor: 1_500,
    dueMinor: 0,
  });
});

test('a ride that cost nothing has an empty one', async () => {
  const cancel = { type: 'cancelByRider', at: at(2_000), reason: 'changed my mind' } as const;
  const { rideId } = rideOf([...standardRide.slice(0, 2), cancel]);
  expect(await receipt(rideId)).toMatchObject({
    status: 200,
    body: { lines: [], totalMinor: 0, dueMinor: 0 },
  });
});
