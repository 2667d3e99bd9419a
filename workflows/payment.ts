import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  defineSignal,
  setHandler,
} from '@temporalio/workflow';
import type { PaymentMessages } from '../activities/messages';
import { money } from '../domain/money';
import { paymentSignals } from '../domain/names';
import type { PaymentStatus } from '../domain/payment';
import type { Authorization, PaymentStart } from '../domain/sagas';
import { settlement, type RideOutcome } from '../domain/settlement';
import { AfterRide } from './afterRide';
import { Compensations } from './compensation';
import { HoldRaises } from './holdRaises';
import { PaymentRecord } from './paymentRecord';
import { createProvider } from './provider';
import { ownDatabase } from './steps';

/**
 * A ride's payment: authorized, and when the ride has ended captured or released; then tips and refunds while their
 * time lasts. It outlives its ride.
 */
export async function payment({ order, policies, rideWorkflowId }: PaymentStart): Promise<PaymentStatus> {
  const { rideId, method, currency } = order;
  const record = new PaymentRecord(rideId, policies);
  const { operators } = record;
  const provider = createProvider(operators);
  const messages = ownDatabase<PaymentMessages>({
    onTrouble: (step, error) => operators.failed(step, error),
  });
  const afterRide = new AfterRide(record, policies, provider);
  const raises = new HoldRaises(record, provider);
  const compensations = new Compensations((parked) => operators.park(parked));
  let outcome: RideOutcome | undefined;
  let rideWaits = true;

  setHandler(defineSignal<[RideOutcome]>(paymentSignals.rideEnded), (ended) => void (outcome ??= ended));

  await record.add('payment.opened', order);
  try {
    await authorize();
    // The steps above go to their end whoever cancels; a ride must not be told of a hold that is about to go.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled');
    await tellRide();
    if (!record.is('failed')) {
      operators.waits('the ride to end');
      await condition(() => outcome !== undefined);
      await CancellationScope.nonCancellable(() => settle(outcome!));
      await afterRide.window();
    }
  } catch (error) {
    await compensations.run();
    await CancellationScope.nonCancellable(async () => {
      await tellRide();
      await condition(allHandlersFinished);
    });
    // The last call in flight may have failed with its own words: what ended the payment is the cancel.
    throw CancellationScope.current().consideredCancelled ? new CancelledFailure('cancelled') : error;
  }
  operators.waits('nothing: the payment is over');
  await condition(allHandlersFinished);
  return record.payment.status;

  async function authorize(): Promise<void> {
    // Registered before the call: a hold whose answer was lost may have come about.
    compensations.add('release the hold', releaseHold);
    if (method.type === 'cash') return;
    const { amountMinor } = order;
    const held = await provider.authorize(`Hold ${money(amountMinor, currency)}`, order);
    if (held.charged) {
      await record.add('payment.authorized', { intentId: held.intentId, amountMinor, currency });
    } else {
      await record.add('payment.declined', { reason: held.reason });
      compensations.clear();
    }
  }

  /** The ride waits for this once. One that has ended meanwhile does not, and one that is gone is no failure. */
  async function tellRide(): Promise<void> {
    if (!rideWaits || outcome !== undefined) return;
    const authorization: Authorization = record.is('authorized', 'cash_due')
      ? { authorized: true }
      : { authorized: false, reason: record.payment.failureReason ?? 'payment_cancelled' };
    await messages.tellRide({ rideWorkflowId, authorization });
    rideWaits = false;
  }

  async function settle({ amountMinor, driverId }: RideOutcome): Promise<void> {
    await raises.close();
    if (amountMinor === 0) return compensations.run();
    compensations.clear();
    const { intentId, amountMinor: heldMinor } = record.payment;
    // A hold cannot give more than it holds.
    const owed = { amountMinor: Math.min(amountMinor, heldMinor), currency, driverId };
    const split = settlement(owed, policies.commissionBasisPoints);
    if (intentId === null) {
      await record.add('payment.cash_settled', { ...owed, ...split });
      return;
    }
    const summary = `Capture ${money(owed.amountMinor, currency)} of ${money(heldMinor, currency)}`;
    const capture = { rideId, intentId, amountMinor: owed.amountMinor };
    await compensations.insist('capture the hold', async () => {
      await provider.capture(summary, capture);
      await record.add('payment.captured', { intentId, ...owed, ...split });
    });
  }

  /** Tolerates that nothing is held: not asked for yet, declined, or released before. */
  async function releaseHold(): Promise<void> {
    await raises.close();
    const summary = `Release the hold of ${money(record.payment.amountMinor, currency)}`;
    const intentId = method.type === 'cash' ? null : await provider.voidHold(summary, rideId);
    await record.add('payment.voided', { intentId });
  }
}
