import type { Payment, PaymentStatus } from '../../../domain/payment';
import type { Queryable } from '../../../platform/postgres';
import { storedHolds } from '../books/paymentStore';
import { stepsOfAll } from './pages';

/** From these a new workflow finds all that the lost one did, by the steps’ ids and the stored intents. */
const statusesToStartFrom: readonly PaymentStatus[] = [
  'authorizing',
  'action_required',
  'authorized',
  'cash_due',
];

/**
 * Whether a payment whose workflow is lost can begin anew while its ride is under way. The new workflow asks the rider’s
 * methods in their order, each for the hold of its number: where a hold was made anew, it would take that for another
 * method’s, and let go of the one that counts.
 */
export async function mayStartAnew(db: Queryable, { rideId, status }: Payment): Promise<boolean> {
  if (!statusesToStartFrom.includes(status)) return false;
  const [holds, steps] = [await storedHolds(db, rideId), await stepsOfAll(db, [rideId])];
  const changes = (steps.get(rideId) ?? []).filter(({ fact }) => fact.type === 'payment.method_changed');
  return holds.every(({ intentVersion }) => intentVersion <= 1 + changes.length);
}
