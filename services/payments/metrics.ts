import { Counter, Gauge } from 'prom-client';
import { openPaymentStatuses, type PaymentStatus } from '../../domain/payment';
import type { Metrics } from '../../platform/metrics';
import { lookWhenScraped } from '../../platform/metrics/scrape';
import type { Pool } from '../../platform/postgres';
import { openPayments, refundFailedPayments } from './books/paymentStore';
import type { Attempt } from './provider/attempts';
import type { GateReading, ProviderGate } from './provider/gate';

/**
 * Shows how many payments are open, by status, when it is looked at; one that was taken in part, and of which the rest is
 * owed, as owed; and of how many a refund has failed. Nothing of it while the database is away.
 */
export function countOpenPayments({ registry }: Metrics, pool: Pool): void {
  const look = lookWhenScraped(registry, {
    ...{ at: 'payments', freshForMs: 0 },
    read: async () => {
      const { rows } = await pool.query<{ status: PaymentStatus | 'refund_failed'; count: number }>(
        `select case when status = any ($1) then status else 'owed' end as status, count(*) as count
         from payments where ${openPayments} group by 1
         union all select 'refund_failed', count(*) from payments where ${refundFailedPayments}`,
        [openPaymentStatuses],
      );
      return rows;
    },
  });
  new Gauge({
    name: 'hailway_payments_open',
    help: 'Payments that are not settled, by status, a debt as owed; unresolved, owed and refund_failed may need an operator',
    labelNames: ['status'],
    registers: [registry],
    async collect() {
      this.reset();
      const rows = await look();
      if (rows === null) return;
      for (const status of openPaymentStatuses) this.set({ status }, 0);
      for (const { status, count } of rows) this.set({ status }, count);
    },
  });
}

/** Shows how the gate before the provider stands, when it is looked at. */
export function showGate(metrics: Metrics, gate: Pick<ProviderGate, 'reading'>): void {
  const registers = [metrics.registry];
  metrics.watchBreaker('provider', () => gate.reading().state);
  new Gauge({
    name: 'hailway_provider_requests',
    help: 'Requests to the payment provider that are in flight, or wait for their turn',
    labelNames: ['state'],
    registers,
    collect() {
      const { inFlight, waiting } = gate.reading();
      this.set({ state: 'in_flight' }, inFlight);
      this.set({ state: 'waiting' }, waiting);
    },
  });
  const counted = (name: string, help: string, read: (reading: GateReading) => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read(gate.reading()));
      },
    });
  };
  counted(
    'hailway_provider_breaker_opened_total',
    'How often the circuit breaker has opened',
    ({ opened }) => opened,
  );
  counted(
    'hailway_provider_requests_refused_total',
    'Requests that were not let through',
    ({ refused }) => refused,
  );
}

/** Counts a request to the provider once it is answered, or is known not to be. */
export function countAttempt(metrics: Metrics, { request, ms, httpStatus, outcome }: Attempt): void {
  if (ms === null) return;
  metrics.called({
    server: 'provider',
    method: request.slice(0, request.indexOf(' ')),
    status: httpStatus,
    error: httpStatus === null || httpStatus >= 500 ? outcome : null,
    seconds: ms / 1_000,
  });
}
