import type { DriverView, OfferView } from '../../contracts/api/drivers';
import type { RideView } from '../../contracts/api/rides';
import type { Ride } from '../../domain/ride';
import type { Driver } from './drivers';
import type { LiveOffer } from './offers';
import { startCodeFor } from './startCode';

export interface Viewer {
  readonly sub: string;
  readonly role: string;
}

/** A ride as `viewer` sees it: the code is the rider's alone, and who gave the ride back sees no driver after. */
export function viewRide(ride: Ride, viewer: Viewer, codeSecret: string): RideView {
  const gaveBack = viewer.role === 'driver' && ride.driverId !== viewer.sub;
  return {
    rideId: ride.rideId,
    riderId: ride.riderId,
    version: ride.version,
    status: ride.status,
    product: ride.product,
    pickup: ride.pickup,
    stops: ride.stops as RideView['stops'],
    stopsReached: ride.stopsReached,
    dropoff: ride.dropoff,
    distanceMeters: ride.distanceMeters,
    durationSeconds: ride.durationSeconds,
    fare: ride.fare as RideView['fare'],
    paymentMethod: ride.paymentMethod.type,
    driverId: gaveBack ? null : ride.driverId,
    reservedDriverId:
      viewer.role === 'driver' && ride.reservedDriverId !== viewer.sub ? null : ride.reservedDriverId,
    ...(viewer.role === 'rider' ? { startCode: startCodeFor(codeSecret, ride.rideId) } : {}),
    scheduledFor: ride.scheduledFor,
    requestedAt: ride.requestedAt,
    assignedAt: ride.assignedAt,
    arrivedAt: ride.arrivedAt,
    startedAt: ride.startedAt,
    endedAt: ride.endedAt,
    waitingMinor: ride.waitingMinor,
    routeChange: ride.routeChange as RideView['routeChange'],
    chargeMinor: ride.chargeMinor,
    endReason: ride.endReason,
  };
}

export const viewDriver = ({
  driverId,
  name,
  plate,
  product,
  fleetId,
  online,
  rideId,
  nextRideId,
}: Driver): DriverView => ({
  driverId,
  name,
  plate,
  product,
  fleetId,
  online,
  rideId,
  nextRideId,
});

export const viewOffer = ({
  offerId,
  expiresAt,
  pickupDistanceMeters,
  etaSeconds,
  ride,
}: LiveOffer): OfferView => ({
  offerId,
  rideId: ride.rideId,
  pickup: ride.pickup,
  stops: ride.stops as OfferView['stops'],
  dropoff: ride.dropoff,
  distanceMeters: ride.distanceMeters,
  durationSeconds: ride.durationSeconds,
  fare: ride.fare as OfferView['fare'],
  paymentMethod: ride.paymentMethod.type,
  pickupDistanceMeters,
  etaSeconds,
  expiresAt,
});

/**
 * Whether `viewer` may know of a ride: its rider, its driver or the one whose next ride it is, and who runs the city.
 */
export function maySee(ride: Ride, { sub, role }: Viewer): boolean {
  if (role === 'rider') return ride.riderId === sub;
  if (role === 'driver') return ride.driverId === sub || ride.reservedDriverId === sub;
  return role === 'operator' || role === 'service';
}
