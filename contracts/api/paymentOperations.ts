import { z } from 'zod';
import { balancesQuery, balancesView } from './ledger';
import { paymentNeedsQuery, paymentNeedsView } from './needs';
import type { Operation } from './operation';
import { adjustBody, paymentTimeline, paymentView, resolveBody, waiveBody } from './payments';
import { rideIdParam } from './rideOperation';
import { idempotencyKey } from './rides';

const keyHeader = z.object({ 'idempotency-key': idempotencyKey });
const paymentAction = { status: 200, description: 'The payment as it is now', body: paymentView } as const;

/** A ride's payment: how it stands, everything that is known of it, and what operators do to it; and all payments. */
export const paymentOperations = {
  getPayment: {
    method: 'get',
    path: '/v1/rides/{rideId}/payment',
    summary: 'Look at the payment of a ride',
    tag: 'rides',
    roles: ['rider', 'operator', 'service'],
    request: { params: rideIdParam },
    response: { status: 200, description: 'The payment', body: paymentView },
    problems: ['ride_not_found', 'payment_not_found'],
  },
  listPaymentNeeds: {
    method: 'get',
    path: '/v1/ops/payments',
    summary: 'Payments that need somebody: in doubt, in debt, parked or overdue; the oldest first',
    tag: 'ops',
    roles: ['operator', 'service'],
    request: { query: paymentNeedsQuery },
    response: { status: 200, description: 'At most `limit`, each with what to do', body: paymentNeedsView },
    problems: [],
  },
  listBalances: {
    method: 'get',
    path: '/v1/ops/ledger/balances',
    summary: 'What the accounts of the books hold, now or at a time',
    tag: 'ops',
    roles: ['operator', 'service'],
    request: { query: balancesQuery },
    response: { status: 200, description: 'By account and currency', body: balancesView },
    problems: [],
  },
  paymentTimeline: {
    method: 'get',
    path: '/v1/ops/payments/{rideId}',
    summary: 'Every fact, intent, attempt, webhook, ledger entry and dispute of a payment',
    tag: 'ops',
    roles: ['operator', 'service'],
    request: { params: rideIdParam },
    response: { status: 200, description: 'In the order of their times', body: paymentTimeline },
    problems: ['payment_not_found'],
  },
  retryPayment: {
    method: 'post',
    path: '/v1/ops/payments/{rideId}/retry',
    summary: 'Ask the provider again now, for what the payment waits for',
    tag: 'ops',
    roles: ['operator'],
    request: { params: rideIdParam },
    response: paymentAction,
    problems: ['ride_not_found', 'payment_not_found', 'retry_not_possible'],
  },
  resolvePayment: {
    method: 'post',
    path: '/v1/ops/payments/{rideId}/resolve',
    summary:
      'Say what became of a call whose outcome nobody knows, or of a refund that failed, with where that is to be seen',
    tag: 'ops',
    roles: ['operator'],
    request: { params: rideIdParam, body: resolveBody },
    response: paymentAction,
    problems: ['ride_not_found', 'payment_not_found', 'resolve_not_possible', 'payment_busy'],
  },
  waivePayment: {
    method: 'post',
    path: '/v1/ops/payments/{rideId}/waive',
    summary: 'Give up what the rider still owes',
    tag: 'ops',
    roles: ['operator'],
    request: { params: rideIdParam, body: waiveBody },
    response: paymentAction,
    problems: ['ride_not_found', 'payment_not_found', 'waive_not_possible', 'payment_busy'],
  },
  adjustPayment: {
    method: 'post',
    path: '/v1/ops/payments/{rideId}/adjust',
    summary: 'Charge another amount for an ended ride; the same Idempotency-Key is the same adjustment',
    tag: 'ops',
    roles: ['operator'],
    request: { params: rideIdParam, headers: keyHeader, body: adjustBody },
    response: paymentAction,
    problems: [
      'ride_not_found',
      'payment_not_found',
      'adjust_not_possible',
      'idempotency_key_reused',
      'payment_busy',
    ],
  },
} as const satisfies Record<string, Operation>;
