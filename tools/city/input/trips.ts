import { InputError, localTime, localTimeExpected, numberBetween, readCsv } from './csv';

/** What the pickups lack: how far, how long, how much extra, and how it was paid. */
export interface Trip {
  readonly distanceMeters: number;
  readonly durationMs: number;
  readonly tipMinor: number;
  readonly passengers: number;
  readonly means: 'card' | 'cash';
}

const METERS_PER_MILE = 1_609.344;
const MINUTE = 60_000;

/**
 * The taximeter's oddities are left out: trips of a few steps and of a few seconds; and the longest six in a hundred,
 * as a counted run ends with its last ride.
 */
const isTrip = ({ distanceMeters, durationMs }: Trip): boolean =>
  distanceMeters >= 300 && distanceMeters <= 40_000 && durationMs >= MINUTE && durationMs <= 35 * MINUTE;

/**
 * Reads the trips file. Trips whose means of payment was not recorded are left out.
 * @throws InputError as `checkPickups`
 */
export async function readTrips(file: string): Promise<Trip[]> {
  const rows = await readCsv(file, [
    'pickup_at',
    'dropoff_at',
    'passengers',
    'distance_miles',
    'tip',
    'payment',
  ]);
  const trips = rows.flatMap((row): Trip[] => {
    const means = row.get('payment', 'credit card, cash or nothing', meansOf);
    const trip = {
      distanceMeters:
        row.get('distance_miles', 'miles from 0 to 1000', numberBetween(0, 1_000)) * METERS_PER_MILE,
      durationMs:
        row.get('dropoff_at', localTimeExpected, localTime) -
        row.get('pickup_at', localTimeExpected, localTime),
      tipMinor: Math.round(row.get('tip', 'US dollars from 0 to 1000', numberBetween(0, 1_000)) * 100),
      passengers: row.get('passengers', 'a number from 0 to 9', numberBetween(0, 9)),
    };
    return means === null ? [] : [{ ...trip, means }];
  });
  for (const means of ['card', 'cash'] as const) {
    if (!trips.some((trip) => trip.means === means && isTrip(trip))) {
      throw new InputError(`${file}: found no usable trip paid by ${means}, expected at least one`);
    }
  }
  return trips.filter(isTrip);
}

function meansOf(text: string): 'card' | 'cash' | null | undefined {
  if (text === 'credit card') return 'card';
  if (text === 'cash') return 'cash';
  return text === '' ? null : undefined;
}
