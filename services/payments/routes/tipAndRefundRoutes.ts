import { createHash } from 'node:crypto';
import { operations } from '../../../contracts/api/operations';
import type { RefundView, TipView } from '../../../contracts/api/rides';
import { DomainError } from '../../../domain/errors';
import type { Ride } from '../../../domain/ride';
import type { Refund, RefundOrder, Tip } from '../../../domain/sagas';
import type { Caller, MountOperation } from '../../../platform/http';
import { askPayment, type AskPaymentOptions } from './askPayment';

export interface PaymentRoutesOptions extends AskPaymentOptions {
  /** The ride, if the caller may see it; rejects with `ride_not_found` otherwise. */
  readonly rideOf: (caller: Caller, rideId: string) => Promise<Ride>;
}

/** Tips by riders and refunds by operators: both are asked of the payment's workflow. Both are safe to repeat. */
export function createPaymentRoutes(mount: MountOperation, options: PaymentRoutesOptions): void {
  const { rideOf } = options;

  mount(operations.tipRide, async ({ params, body, caller }) => {
    const { rideId, status } = await rideOf(caller, params.rideId);
    if (status !== 'completed')
      throw new DomainError('tip_not_possible', 'A tip goes with a completed ride.', { status });
    const tip = await askPayment<{ tipMinor: number; currency: string }, Tip>(options, {
      rideId,
      update: 'tip',
      argument: { amountMinor: body.amountMinor },
      whenOver: new DomainError(
        'tip_not_possible',
        'The time for a tip is over, or nothing was paid by card.',
      ),
    });
    return { status: 200, body: { rideId, ...tip } satisfies TipView };
  });

  mount(operations.refundRide, async ({ params, headers, body, caller }) => {
    const { rideId } = await rideOf(caller, params.rideId);
    // A key belongs to who made it.
    const order = { refundKey: `${caller.sub}:${headers['idempotency-key']}`, ...body };
    const refund = await askPayment<Refund, RefundOrder>(options, {
      rideId,
      update: 'refund',
      argument: order,
      // The server remembers an Update by its id for a while after the workflow is over.
      updateId: createHash('sha256').update(JSON.stringify(order)).digest('hex'),
      whenOver: new DomainError(
        'refund_not_possible',
        'The time for refunds is over, or nothing was captured.',
      ),
    });
    return { status: 201, body: { rideId, ...refund } satisfies RefundView };
  });
}
