import { tsToMs } from '@temporalio/common/lib/time';
import type { temporal } from '@temporalio/proto';
import type { ProviderActivities } from '../../activities/payments';
import { getPayment } from '../../services/payments/books/paymentStore';
import type { PlayedPayments } from './playedPayments';
import { eventually } from './rideSaga';

export const ended = { amountMinor: 1_500, driverId: 'driver-1' };

/** What an operator has to go by. */
export const word = { evidence: 'the provider’s dashboard', by: 'operator-1' };

/** The facts of a payment whose call was in doubt. */
export const wayOf = (call: string): string[] => [
  ...['payment.opened', 'payment.authorized'],
  ...['payment.unresolved', 'payment.resolved', `payment.${call}`],
];

/** Payments of which nobody knows what became of a call. */
export function paymentsInDoubt({ pool, provider, saga, sleep, untilStatus }: PlayedPayments) {
  const lost = (): Promise<never> => Promise.reject(new Error('socket hang up'));
  const loses = (call: keyof ProviderActivities, times = 30): void => {
    for (let i = 0; i < times; i += 1) provider.next(call, lost);
  };

  /** A capture of which nobody knows what became of it. */
  async function captureInDoubt(): Promise<string> {
    const rideId = await saga.open();
    await untilStatus(rideId, 'authorized');
    loses('capture');
    await saga.rideEnded(rideId, ended);
    await untilInDoubt(rideId);
    return rideId;
  }

  /**
   * Waits until the payment is unresolved and its call waits for the next try, long enough for whatever the test does next.
   * Not while a try is under way: the time-skipping server never ends a workflow's task that cancels a call which ends
   * meanwhile.
   */
  async function untilInDoubt(rideId: string): Promise<void> {
    await eventually(async () => {
      if ((await getPayment(pool, rideId))?.status === 'unresolved') return true;
      await sleep(1_000);
      return undefined;
    });
    await eventually(async () => {
      const { raw } = await saga.handle(rideId).describe();
      if (raw.pendingActivities?.some(waitsForLong)) return true;
      await sleep(250);
      return undefined;
    });
  }
  return { loses, captureInDoubt, untilInDoubt };
}

/** Has failed three times, so that the next try is a second away, or more. The server calls it started in any case. */
const waitsForLong = ({
  attempt,
  lastStartedTime,
  lastAttemptCompleteTime,
}: temporal.api.workflow.v1.IPendingActivityInfo): boolean =>
  (attempt ?? 1) >= 4 && tsToMs(lastAttemptCompleteTime) >= tsToMs(lastStartedTime);
