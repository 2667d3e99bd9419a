import type { Pool } from 'pg';
import { receiptOperations } from '../../../contracts/api/receipts';
import { DomainError } from '../../../domain/errors';
import type { PaymentFact } from '../../../domain/paymentFacts';
import { receiptOf } from '../../../domain/receipt';
import type { Ride } from '../../../domain/ride';
import type { Caller, MountOperation } from '../../../platform/http';
import { stepsOf } from '../../../platform/outbox';

export interface ReceiptRouteOptions {
  /** The payments database. */
  readonly payments: Pool;
  /** The ride, if the caller may see it; rejects with `ride_not_found` otherwise. */
  readonly rideOf: (caller: Caller, rideId: string) => Promise<Ride>;
}

/** Receipts: from the ride's row, and from what is committed of its payment. */
export function receiptRoute(mount: MountOperation, { payments, rideOf }: ReceiptRouteOptions): void {
  mount(receiptOperations.receipt, async ({ params, caller }) => {
    const ride = await rideOf(caller, params.rideId);
    const { endedAt } = ride;
    if (endedAt === null)
      throw new DomainError('receipt_not_ready', 'A receipt is for a ride that has ended.', {
        rideStatus: ride.status,
      });
    const steps = await stepsOf<PaymentFact>(payments, ride.rideId);
    const { lines, ...receipt } = receiptOf(
      ride,
      steps.map(({ fact }) => fact),
    );
    return { status: 200, body: { ...receipt, endedAt, lines: [...lines] } };
  });
}
