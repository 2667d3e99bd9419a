import { validate as isUuid } from 'uuid';
import { operations } from '../../../contracts/api/operations';
import type { PaymentView } from '../../../contracts/api/payments';
import type { Ride } from '../../../domain/ride';
import { CodedError } from '../../../platform/errors';
import type { Caller, MountOperation } from '../../../platform/http';
import type { Pool, Queryable } from '../../../platform/postgres';
import { timelineOf } from './timeline';
import { viewOfPayment } from './view';

export interface PaymentViewRoutesOptions {
  readonly payments: Pool;
  /** The ride, if the caller may see it; rejects with `ride_not_found` otherwise. */
  readonly rideOf: (caller: Caller, rideId: string) => Promise<Ride>;
}

/** How a ride's payment stands, and everything that is known of it. */
export function paymentViewRoutes(
  mount: MountOperation,
  { payments, rideOf }: PaymentViewRoutesOptions,
): void {
  mount(operations.getPayment, async ({ params, caller }) => {
    const { rideId } = await rideOf(caller, params.rideId);
    return { status: 200, body: await paymentThatIs(payments, rideId) };
  });

  mount(operations.paymentTimeline, async ({ params: { rideId } }) => {
    const timeline = isUuid(rideId) ? await timelineOf(payments, rideId) : null;
    if (timeline === null) throw notThere();
    return { status: 200, body: timeline };
  });
}

/** @throws CodedError `payment_not_found` */
export async function paymentThatIs(db: Queryable, rideId: string): Promise<PaymentView> {
  const payment = await viewOfPayment(db, rideId);
  if (payment === null) throw notThere();
  return payment;
}

const notThere = (): CodedError =>
  new CodedError('payment_not_found', 'There is no payment of a ride with this id.');
