import { z } from 'zod';
import { currency, time, uuid } from '../shared';
import type { Operation } from './operation';
import { rideIdParam } from './rideOperation';

const amount = z.int().describe('minor units');

/** What a ride costs its rider by now: the lines sum to `totalMinor`, of which `paidMinor` is paid and `dueMinor` is not. */
export const receiptView = z.strictObject({
  rideId: uuid,
  endedAt: time,
  currency,
  paymentMethod: z.enum(['card', 'cash']),
  lines: z.array(
    z.strictObject({
      kind: z
        .string()
        .describe(
          'base, distance, time, stop, minimum, surge, toll, tax, waiting, cancellation_fee, no_show_fee, taken_too_much, adjustment, tip, refund, refund_failed, waiver; more may come',
        ),
      name: z.string().optional().describe('what a toll or a tax is called'),
      amountMinor: amount,
      at: time.optional().describe('when it was added, where that was after the ride'),
    }),
  ),
  totalMinor: amount,
  paidMinor: amount,
  dueMinor: amount,
});

export type ReceiptView = z.infer<typeof receiptView>;

export const receiptOperations = {
  receipt: {
    method: 'get',
    path: '/v1/rides/{rideId}/receipt',
    summary: 'What a ride that has ended costs, line by line',
    tag: 'rides',
    roles: ['rider', 'operator'],
    request: { params: rideIdParam },
    response: { status: 200, description: 'The lines sum to the total', body: receiptView },
    problems: ['ride_not_found', 'receipt_not_ready'],
  },
} as const satisfies Record<string, Operation>;
