export type Product = 'standard' | 'xl' | 'courier';
export const products: readonly Product[] = ['standard', 'xl', 'courier'];

/** What a driver drives. A courier's parcels go in either. */
export type Vehicle = Exclude<Product, 'courier'>;
export const vehicles: readonly Vehicle[] = ['standard', 'xl'];

/** One line of a fare; the lines sum to the total. */
export interface FareLine {
  readonly kind: 'base' | 'distance' | 'time' | 'stop' | 'minimum' | 'surge' | 'toll' | 'tax' | 'adjustment';
  /** What it has to be called on the receipt, for a toll or a tax. */
  readonly name?: string | undefined;
  readonly amountMinor: number;
}

/** What a ride costs, fixed when it was quoted. */
export interface Fare {
  readonly currency: string;
  readonly totalMinor: number;
  readonly lines: readonly FareLine[];
}

interface Tariff {
  readonly baseMinor: number;
  readonly perKilometerMinor: number;
  readonly perMinuteMinor: number;
  /** For each stop between pickup and dropoff. */
  readonly perStopMinor: number;
  readonly minimumMinor: number;
}

/** Tariffs in US cents, of the order of New York's metered fares in 2019. */
const tariffs: Record<Product, Tariff> = {
  standard: {
    baseMinor: 255,
    perKilometerMinor: 109,
    perMinuteMinor: 35,
    perStopMinor: 100,
    minimumMinor: 700,
  },
  xl: { baseMinor: 385, perKilometerMinor: 177, perMinuteMinor: 50, perStopMinor: 150, minimumMinor: 1_050 },
  courier: {
    baseMinor: 300,
    perKilometerMinor: 109,
    perMinuteMinor: 35,
    perStopMinor: 200,
    minimumMinor: 700,
  },
};

/**
 * The upfront fare of a ride: base, distance, time and stops, raised to the minimum, then multiplied by surge. Tolls
 * and taxes come on top (`withPublicCharges`). Every line is rounded to a whole minor unit, and the total is the sum of
 * the lines.
 */
export function upfrontFare(trip: {
  product: Product;
  distanceMeters: number;
  durationSeconds: number;
  /** How many stops there are between pickup and dropoff; none unless told otherwise. */
  stops?: number;
  surge: number;
}): Fare {
  const tariff = tariffs[trip.product];
  const lines: FareLine[] = [
    { kind: 'base', amountMinor: tariff.baseMinor },
    { kind: 'distance', amountMinor: Math.round((tariff.perKilometerMinor * trip.distanceMeters) / 1_000) },
    { kind: 'time', amountMinor: Math.round((tariff.perMinuteMinor * trip.durationSeconds) / 60) },
  ];
  const { stops = 0 } = trip;
  if (stops > 0) lines.push({ kind: 'stop', amountMinor: stops * tariff.perStopMinor });
  const metered = sum(lines);
  if (metered < tariff.minimumMinor)
    lines.push({ kind: 'minimum', amountMinor: tariff.minimumMinor - metered });
  const surcharge = Math.round(sum(lines) * (trip.surge - 1));
  if (surcharge > 0) lines.push({ kind: 'surge', amountMinor: surcharge });
  return fareOf('USD', lines);
}

/**
 * What a ride's fare was multiplied by when it was booked. One that was booked before rides said so has it in its lines,
 * whose surcharge is rounded to a minor unit: to hundredths it is what it was.
 */
export function bookedSurge({ surge, fare }: { readonly surge?: number; readonly fare: Fare }): number {
  if (surge !== undefined) return surge;
  const surcharge = sum(fare.lines.filter(({ kind }) => kind === 'surge'));
  const multiplied = sum(fare.lines.filter(({ kind }) => multipliedKinds.includes(kind)));
  return multiplied === 0 ? 1 : Math.round(100 * (1 + surcharge / multiplied)) / 100;
}

/** The lines that surge multiplies. */
const multipliedKinds: readonly FareLine['kind'][] = ['base', 'distance', 'time', 'stop', 'minimum'];

/** A fare of these lines. */
export const fareOf = (currency: string, lines: readonly FareLine[]): Fare => ({
  currency,
  totalMinor: sum(lines),
  lines,
});

/** More than any ride costs; with waiting it is within what a fact can say. */
export const MAX_FARE_MINOR = 50_000_000;

/** The fare with another total, the difference as a line of its own. */
export const adjustedFare = (fare: Fare, totalMinor: number): Fare => ({
  ...fare,
  totalMinor,
  lines: [...fare.lines, { kind: 'adjustment', amountMinor: totalMinor - fare.totalMinor }],
});

/** The platform's share of an amount, rounded to a whole minor unit. */
export const commissionMinor = (amountMinor: number, basisPoints: number): number =>
  Math.round((amountMinor * basisPoints) / 10_000);

const sum = (lines: readonly FareLine[]): number =>
  lines.reduce((total, line) => total + line.amountMinor, 0);
