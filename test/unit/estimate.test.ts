import { distanceMeters } from '../../domain/geo';
import { estimateTrip, MAX_TRIP_METERS } from '../../services/pricing/estimate';

const unionSquare = { lat: 40.7359, lng: -73.9911 };

describe('an estimated trip', () => {
  test('is longer than the straight line by the grid, and as slow as the city', () => {
    const jfk = { lat: 40.6413, lng: -73.7781 };
    const trip = estimateTrip(unionSquare, jfk);
    expect(trip.distanceMeters / distanceMeters(unionSquare, jfk)).toBeCloseTo(1.273, 3);
    expect((trip.distanceMeters / trip.durationSeconds) * 3.6).toBeCloseTo(16.2, 1);
  });

  test('from a place to itself is nothing', () => {
    expect(estimateTrip(unionSquare, unionSquare)).toEqual({ distanceMeters: 0, durationSeconds: 0 });
  });

  test('out of the region is refused, also across the date line', () => {
    const philadelphia = { lat: 39.95, lng: -75.17 };
    expect(() => estimateTrip(unionSquare, philadelphia)).toThrow(/^The trip is 16\d km long/);
    const fiji = estimateTrip({ lat: -17, lng: 179.9 }, { lat: -17, lng: -179.9 });
    expect(fiji.distanceMeters).toBeLessThan(MAX_TRIP_METERS);
  });
});
