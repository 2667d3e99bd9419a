import { ActivityFailure, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { RideMessages } from '../activities/messages';
import { holdForFareMinor } from '../domain/charge';
import type { Raised } from '../domain/paymentCalls';
import { standardPolicies, type Policies } from '../domain/policies';
import type { Ride } from '../domain/ride';

/**
 * Has the hold raised so that it covers another fare, in minor units, before that applies; the same `changeId` is the
 * same raise. A hold that is large enough already is left as it is. It may have to wait for the payment provider: an
 * operator sees it then, and after a while it counts as not raised, so that no Update waits for ever.
 */
export async function secure(
  ride: Ride,
  policies: Policies,
  { changeId, fareMinor }: { readonly changeId: string; readonly fareMinor: number },
): Promise<Raised> {
  // A ride that was asked for before this was a policy does not have it.
  const { holdPatienceSeconds } = { ...standardPolicies, ...policies };
  const { askToRaiseHold } = proxyActivities<Pick<RideMessages, 'askToRaiseHold'>>({
    startToCloseTimeout: '15s',
    scheduleToCloseTimeout: `${holdPatienceSeconds}s`,
    summary: 'the payment raises the hold',
    retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '5s' },
  });
  const toMinor = holdForFareMinor(ride, fareMinor, policies);
  try {
    return await askToRaiseHold({ rideId: ride.rideId, changeId, toMinor });
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    return { raised: false, reason: 'no_answer_in_time' };
  }
}
