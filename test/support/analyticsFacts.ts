import { latLngToCell } from 'h3-js';
import type { Point } from '../../domain/geo';
import type { TestFact } from './consumers';

/** Where and how the rides of analytics' tests begin and end. */

export const midtown = { lat: 40.75, lng: -73.98 };
export const brooklyn = { lat: 40.68, lng: -73.94 };
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
