import { latLngToCell } from 'h3-js';
import { v7 as uuidv7 } from 'uuid';
import type { Point } from '../../domain/geo';
import { at, requested, rideFacts, type TestFact } from './consumers';

/** Where and how the rides of analytics' tests begin and end. */

export const midtown = { lat: 40.75, lng: -73.98 };
export const brooklyn = { lat: 40.68, lng: -73.94 };
/** In another region. */
export const airport = { lat: 40.645, lng: -73.785 };
/** Where they end. */
export const downtown = { lat: 40.7, lng: -74.0 };
export const cellOf = ({ lat, lng }: Point): string => latLngToCell(lat, lng, 8);

export const completed = { driverId: 'driver-1', chargeMinor: 1_250, currency: 'USD' };
export const cancelled = {
  by: 'rider',
  reason: 'changed_mind',
  driverId: null,
  feeMinor: 0,
  currency: 'USD',
};

export const byTime = (facts: TestFact[]): TestFact[] => facts.sort((a, b) => a.time.localeCompare(b.time));

/**
 * What happens in two hours in two regions: rides that end one way or another, quotes, and shifts of which one in each
 * region goes on.
 */
export function twoHours(): TestFact[] {
  const [a, b, c] = [uuidv7(), uuidv7(), uuidv7()];
  const driver = { driverId: 'driver-1' };
  const offered = { ...driver, offerId: uuidv7() };
  const shift = (key: string, sequence: number, type: string, time: string, data = {}): TestFact => ({
    ...{ topic: 'drivers', key, sequence, type, time: at(time) },
    data: { driverId: key, ...data },
  });
  const quote = (time: string, more = {}): TestFact => {
    const [key, { rideId: _, paymentMethod: __, ...quoted }] = [uuidv7(), requested(uuidv7(), 'r1')];
    const where = { pickupCell: cellOf(midtown), ...more };
    const data = { ...quoted, ...where, quoteId: key, surge: 1, expiresAt: at(time) };
    return {
      topic: 'pricing',
      key,
      sequence: 1,
      type: 'quote.issued',
      schemaVersion: 2,
      time: at(time),
      data,
    };
  };
  return byTime([
    quote('12:40:00.000'),
    quote('12:41:00.000'),
    // For another way of the first ride: nobody is to ask for a ride with it.
    quote('12:56:00.000', { changesRideId: a }),
    quote('13:05:00.000', { pickupCell: cellOf(airport) }),
    ...rideFacts(a, [
      ['ride.requested', '12:50:00.000', { ...requested(a, 'r1', midtown), durationSeconds: 900 }],
      ['ride.driver_assigned', '12:50:20.000', offered],
      ['ride.driver_unassigned', '12:51:20.000', { ...driver, reason: 'flat_tyre' }],
      ['ride.driver_assigned', '12:52:00.000', offered],
      ['ride.started', '12:55:00.000', driver],
      ['ride.completed', '13:11:40.000', completed],
    ]),
    ...rideFacts(b, [
      ['ride.requested', '12:59:00.000', requested(b, 'r2', midtown)],
      ['ride.driver_assigned', '12:59:30.000', offered],
      ['ride.cancelled', '13:00:30.000', { ...cancelled, driverId: 'driver-1', feeMinor: 500 }],
    ]),
    ...rideFacts(c, [
      ['ride.requested', '12:20:00.000', requested(c, 'r3', airport)],
      ['ride.driver_assigned', '12:20:10.000', { driverId: 'driver-4', offerId: uuidv7() }],
      ['ride.started', '12:24:00.000', { driverId: 'driver-4' }],
      ['ride.completed', '12:41:00.000', { ...completed, driverId: 'driver-4', chargeMinor: 4_000 }],
    ]),
    shift('driver-1', 1, 'driver.went_online', '12:30:00.000', { cell: cellOf(midtown) }),
    shift('driver-1', 2, 'driver.went_offline', '13:15:00.000'),
    shift('driver-2', 1, 'driver.went_online', '12:45:00.000', { cell: cellOf(midtown) }),
    shift('driver-4', 1, 'driver.went_online', '12:10:00.000', { cell: cellOf(airport) }),
    shift('driver-3', 1, 'driver.went_online', '13:20:00.000'),
  ]);
}
