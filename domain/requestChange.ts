import type { Ride, RideRequest } from './ride';

/** What a rider changes of a request before its time: when, or all that another quote says, or both. */
export type RequestChange = Partial<RideRequest>;

/** Whether the ride is asked for like this by now. Of a quote, its id says all. */
export const isAskedFor = (ride: Ride, { quoteId, scheduledFor }: RequestChange): boolean =>
  (quoteId === undefined || ride.quoteId === quoteId) &&
  (scheduledFor === undefined || ride.scheduledFor === scheduledFor);
