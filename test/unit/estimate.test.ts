import { distanceMeters } from '../../domain/geo';
import { estimateTrip, MAX_TRIP_METERS } from '../../services/pricing/estimate';

const unionSquare = { lat: 40.7359, lng: -73.9911 };
const jfk = { lat: 40.6413, lng: -73.7781 };
/** In New York it is 5 in the morning, and 3 in the afternoon. */
const early = Date.parse('2026-03-03T10:00:00Z');
const afternoon = Date.parse('2026-03-03T20:00:00Z');

describe('an estimated trip', () => {
  test('is longer than the straight line by the grid', () => {
    const trip = estimateTrip([unionSquare, jfk], afternoon);
    expect(trip.distanceMeters / distanceMeters(unionSquare, jfk)).toBeCloseTo(1.273, 3);
  });

  test('takes longer in the afternoon than in the early morning', () => {
    const [slow, fast] = [afternoon, early].map((at) => estimateTrip([unionSquare, jfk], at).durationSeconds);
    expect(slow! / fast!).toBeGreaterThan(1.4);
  });

  test('by way of a stop is further and takes longer', () => {
    const stop = { lat: 40.75, lng: -73.95 };
    const straight = estimateTrip([unionSquare, jfk], afternoon);
    const round = estimateTrip([unionSquare, stop, jfk], afternoon);
    expect(round.distanceMeters).toBeGreaterThan(straight.distanceMeters);
    expect(round.durationSeconds).toBeGreaterThan(straight.durationSeconds);
  });

  test('from a place to itself is nothing', () => {
    expect(estimateTrip([unionSquare, unionSquare], early)).toEqual({
      distanceMeters: 0,
      durationSeconds: 0,
    });
  });

  test('out of the region is refused, also across the date line', () => {
    const philadelphia = { lat: 39.95, lng: -75.17 };
    expect(() => estimateTrip([unionSquare, philadelphia], early)).toThrow(/^The trip is 16\d km long/);
    const fiji = estimateTrip(
      [
        { lat: -17, lng: 179.9 },
        { lat: -17, lng: -179.9 },
      ],
      early,
    );
    expect(fiji.distanceMeters).toBeLessThan(MAX_TRIP_METERS);
  });
});
