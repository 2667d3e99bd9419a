import Stripe from 'stripe';
import { askingProvider } from '../../activities/payments';
import { createProviderGate } from '../../services/payments/provider/gate';
import { getPayment } from '../../services/payments/books/paymentStore';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { eventually } from '../support/rideSaga';

jest.setTimeout(120_000);

/** Rides that are requested or end while nobody is there. */
const RIDES = 20;
const AT_ONCE = 4;

let played: PlayedPayments;
let isDown = false;
let [left, now, most] = [0, 0, 0];
const gate = createProviderGate({
  ...{ breakAfter: 5, retryAfterMs: 300, mostRetryAfterMs: 1_000, mostAtOnce: AT_ONCE },
  // The gate's clock is the real one, the pauses are the payments'.
  ...{ leastPauseMs: 600_000, mostPauseMs: 600_000 },
});
/** What leaves the house goes here. */
const wire = gate.wrap({
  getClientName: () => 'played',
  makeRequest: async () => {
    left += 1;
    if (isDown) throw new Error('connect ECONNREFUSED');
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setTimeout(resolve, 20));
    now -= 1;
    return new Stripe.HttpClientResponse(200, {});
  },
});
const request = (): Promise<unknown> => wire.makeRequest('', '', '', 'POST', {}, '', 'https', 1_000);

beforeAll(async () => {
  played = await startPlayedPayments((provider) => ({
    ...provider,
    authorize: (order) => askingProvider(() => request()).then(() => provider.authorize(order)),
    capture: (order) => askingProvider(() => request()).then(() => provider.capture(order)),
  }));
});
afterAll(() => played?.stop());

const opened = (count: number): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, () => played.saga.open()));
const untilAll = (rideIds: string[], status: string): Promise<unknown> =>
  Promise.all(
    rideIds.map((rideId) =>
      eventually(async () => {
        const payment = await getPayment(played.pool, rideId);
        return payment?.status === status || undefined;
      }, 60_000),
    ),
  );

test('an outage of hours: calls stop, rides wait, and all of them are served when it is over, a few at a time', async () => {
  const underWay = await opened(RIDES);
  await untilAll(underWay, 'authorized');
  isDown = true;
  left = 0;
  const ended = { amountMinor: 1_500, driverId: 'driver-1' };
  await Promise.all(underWay.map((rideId) => played.saga.rideEnded(rideId, ended)));
  const requested = await opened(RIDES);
  await eventually(() => Promise.resolve(gate.reading().state === 'open' || undefined));
  await played.sleep('180 minutes');
  expect(gate.reading()).toMatchObject({ state: expect.stringMatching(/open/) });
  const { refused } = gate.reading();
  // Hours of 40 payments that want to be served: what left were those who found out, and who tried since.
  expect(refused).toBeGreaterThan(2 * RIDES);
  expect(left).toBeLessThan(refused / 4);
  for (const rideId of requested) expect(await played.saga.heard(rideId)).toEqual([]);

  isDown = false;
  most = 0;
  await eventually(async () => {
    await request().catch(() => undefined);
    return gate.reading().state === 'closed' || undefined;
  });
  // Who was turned away had a pause to end: it does, at another time for each.
  await played.sleep('60 minutes');
  await untilAll(underWay, 'captured');
  await untilAll(requested, 'authorized');
  expect(most).toBeLessThanOrEqual(AT_ONCE);
  for (const rideId of [...underWay, ...requested]) {
    const [row, folded] = await played.rowAndFold(rideId);
    expect(row).toEqual(folded);
  }
  expect(played.provider.asked(underWay[0]!)).toEqual(['authorize 1500', 'capture 1500']);
});
