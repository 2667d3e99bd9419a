import { proxyActivities } from '@temporalio/workflow';
import type { RideMessages } from '../activities/messages';
import { holdForFareMinor } from '../domain/charge';
import type { Raised } from '../domain/payment';
import type { Policies } from '../domain/policies';
import type { Ride } from '../domain/ride';

/** It may have to wait for the payment provider: where it does, an operator sees it. */
const { askToRaiseHold } = proxyActivities<Pick<RideMessages, 'askToRaiseHold'>>({
  startToCloseTimeout: '15s',
  retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '5s' },
});

/**
 * Has the hold raised so that it covers another fare, in minor units, before that applies; the same `changeId` is the
 * same raise. A hold that is large enough already is left as it is.
 */
export const secure = (
  ride: Ride,
  policies: Policies,
  { changeId, fareMinor }: { readonly changeId: string; readonly fareMinor: number },
): Promise<Raised> =>
  askToRaiseHold({
    rideId: ride.rideId,
    changeId,
    toMinor: holdForFareMinor(ride, fareMinor, policies),
  });
