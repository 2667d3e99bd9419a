import type { Ride, RideRequest } from './ride';

/** What a rider changes of a request before its time: when, or all that another quote says, or both. */
export type RequestChange = Partial<RideRequest>;

/** Whether the ride is asked for like this by now. Of a quote, its id says all. */
export const isAskedFor = (ride: Ride, { quoteId, scheduledFor }: RequestChange): boolean =>
  (quoteId === undefined || ride.quoteId === quoteId) &&
  (scheduledFor === undefined || ride.scheduledFor === scheduledFor);

/** What the rider asks for by now, out of the ride. */
export const requestOf = (ride: Ride): RideRequest => ({
  rideId: ride.rideId,
  riderId: ride.riderId,
  quoteId: ride.quoteId,
  product: ride.product,
  pickup: ride.pickup,
  stops: ride.stops,
  dropoff: ride.dropoff,
  distanceMeters: ride.distanceMeters,
  durationSeconds: ride.durationSeconds,
  ...(ride.surge !== undefined && { surge: ride.surge }),
  fare: ride.fare,
  paymentMethod: ride.paymentMethod,
  ...(ride.fallbackPaymentMethods && { fallbackPaymentMethods: ride.fallbackPaymentMethods }),
  scheduledFor: ride.scheduledFor,
});
