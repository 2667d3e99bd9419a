import type { WorkflowStartOptions } from '@temporalio/client';
import { latLngToCell } from 'h3-js';
import { REGION_RESOLUTION } from '../../domain/geo';
import { money } from '../../domain/money';
import { rideWorkflowId, scheduledRideWorkflowId, searchAttributes, taskQueues } from '../../domain/names';
import type { RideStart } from '../../domain/sagas';
import { pickupHour } from '../../domain/schedule';

type Starting = Pick<
  WorkflowStartOptions,
  'workflowId' | 'taskQueue' | 'memo' | 'staticSummary' | 'staticDetails' | 'typedSearchAttributes'
> & { readonly args: [RideStart] };

/** Whether the ride is one for later that has not been released yet: it begins as a `scheduledRide`. */
export const waitsFirst = ({ request, released }: RideStart): boolean =>
  request.scheduledFor !== null && released === undefined;

/** How a ride's workflow is started: what operators find it by, and what they read of it in a list. */
export function rideStartOptions(start: RideStart): Starting {
  const { request, requestedAt } = start;
  const { rideId, riderId, product, pickup, fare, paymentMethod, quoteId, scheduledFor } = request;
  const price = money(fare.totalMinor, fare.currency);
  const waits = waitsFirst(start);
  return {
    workflowId: waits ? scheduledRideWorkflowId(rideId) : rideWorkflowId(rideId),
    taskQueue: taskQueues.rides,
    args: [start],
    staticSummary: `${product} ride${waits ? ' for later' : ''}, ${price}, ${paymentMethod.type}`,
    staticDetails: `Asked for at ${requestedAt}${scheduledFor === null ? '' : `, for ${scheduledFor}`}; quote \`${quoteId}\`.`,
    memo: { rideId, quoteId, fare: price },
    typedSearchAttributes: [
      { key: searchAttributes.status, value: waits ? 'scheduled' : 'searching' },
      { key: searchAttributes.region, value: latLngToCell(pickup.lat, pickup.lng, REGION_RESOLUTION) },
      { key: searchAttributes.product, value: product },
      { key: searchAttributes.riderId, value: riderId },
      { key: searchAttributes.pickupHour, value: pickupHour(request, requestedAt) },
    ],
  };
}
