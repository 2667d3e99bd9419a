import { createMetrics } from '../../platform/metrics';
import type { Pool } from '../../platform/postgres';
import { attemptOf } from '../../services/payments/provider/attempts';
import type { GateReading } from '../../services/payments/provider/gate';
import { countAttempt, countOpenPayments, showGate } from '../../services/payments/metrics';
import { openPayments } from '../../services/payments/books/paymentStore';
import { paymentOrder, paymentsDatabase } from '../support/payments';

let pool: Pool;
const metrics = createMetrics('payments');
const shown = async (name: string): Promise<string[]> =>
  (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith(name));

beforeAll(async () => void (pool = await paymentsDatabase()));

test('payments that are open, by status', async () => {
  const payments = [
    ...['unresolved', 'unresolved', 'owed', 'captured', 'waived'].map((status) => ({ status, owedMinor: 0 })),
    ...['captured', 'partially_refunded'].map((status) => ({ status, owedMinor: 600 })),
    { status: 'captured', owedMinor: 0, refundFailedMinor: 400 },
  ];
  for (const payment of payments) {
    const { rideId } = paymentOrder();
    const state = JSON.stringify({ rideId, version: 1, ...payment });
    await pool.query('insert into payments (payment_id, version, state) values ($1, 1, $2)', [rideId, state]);
  }
  countOpenPayments(metrics, pool);
  expect(await shown('hailway_payments_open{')).toEqual(
    expect.arrayContaining([
      'hailway_payments_open{status="unresolved"} 2',
      'hailway_payments_open{status="owed"} 3',
      'hailway_payments_open{status="action_required"} 0',
      'hailway_payments_open{status="refund_failed"} 1',
    ]),
  );
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
    `explain select payment_id from payments where ${openPayments} order by payment_id`,
  );
  expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('payments_open');
  // Nothing is better than what was so before the database went away, and the rest is shown.
  await pool.end();
  expect(await shown('hailway_payments_open{')).toEqual([]);
  expect(await shown('process_cpu_seconds_total')).not.toEqual([]);
});

test('the breaker before the provider', async () => {
  let reading: GateReading = { state: 'closed', opened: 0, refused: 0, inFlight: 2, waiting: 0 };
  showGate(metrics, { reading: () => reading });
  expect(await shown('hailway_')).toEqual(
    expect.arrayContaining([
      'hailway_breaker_state{breaker="provider",state="closed"} 1',
      'hailway_breaker_state{breaker="provider",state="open"} 0',
      'hailway_provider_requests{state="in_flight"} 2',
      'hailway_provider_breaker_opened_total 0',
    ]),
  );
  reading = { state: 'open', opened: 1, refused: 40, inFlight: 0, waiting: 0 };
  expect(await shown('hailway_')).toEqual(
    expect.arrayContaining([
      'hailway_breaker_state{breaker="provider",state="closed"} 0',
      'hailway_breaker_state{breaker="provider",state="open"} 1',
      'hailway_provider_breaker_opened_total 1',
      'hailway_provider_requests_refused_total 40',
    ]),
  );
});

test('requests to the provider, when they are answered', async () => {
  const count = () => shown('http_client_request_duration_seconds_count');
  const attempt = attemptOf('POST', '/v1/refunds', null);
  countAttempt(metrics, attempt);
  expect(await count()).toEqual([]);
  countAttempt(metrics, { ...attempt, ms: 12, httpStatus: 402, outcome: 'card_declined' });
  countAttempt(metrics, { ...attempt, ms: 5_000, outcome: 'ETIMEDOUT' });
  expect(await count()).toEqual([
    'http_client_request_duration_seconds_count{http_request_method="POST",server_address="provider",http_response_status_code="402"} 1',
    'http_client_request_duration_seconds_count{http_request_method="POST",server_address="provider",error_type="ETIMEDOUT"} 1',
  ]);
});
