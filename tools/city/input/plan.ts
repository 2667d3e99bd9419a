import { ROAD_FACTOR } from '../../../domain/eta';
import type { Product } from '../../../domain/fare';
import type { Point } from '../../../domain/geo';
import type { PaymentMethod } from '../../../domain/ride';
import { seededRandom, type Random } from '../random';
import { blockSize, dealBlock, type Card, type Persona, type Repeat, type Share } from './deck';
import { pickupsFrom, type Pickup } from './pickups';
import type { Trip } from './trips';

/** What a rider will do, drawn before the ride begins. */
export interface RidePlan {
  /** 1, 2, 3, … in the order of the requests. */
  readonly number: number;
  readonly riderId: string;
  /** The city's time, milliseconds. */
  readonly requestAt: number;
  readonly pickup: Point;
  /** A courier's other drops; for other rides none. */
  readonly stops: readonly Point[];
  readonly dropoff: Point;
  /** Where the rider may want to go instead: further on. */
  readonly further: Point;
  /** How long before the pickup a ride is requested for later, in the city's milliseconds; 0 is for now. */
  readonly aheadMs: number;
  readonly product: Product;
  readonly paymentMethod: PaymentMethod;
  /** How long the drive takes, in the city's milliseconds: the trip's duration. */
  readonly driveMs: number;
  /** 0 for no tip. */
  readonly tipMinor: number;
  /** How many stars each side gives the other, null for none. */
  readonly stars: { readonly rider: number | null; readonly driver: number | null };
  readonly persona: Persona;
  readonly repeat: Repeat;
  readonly share: Share;
  readonly webhook: boolean;
}

/** Stripe's test cards. */
const cards = {
  good: 'pm_card_visa',
  declined: 'pm_card_visa_chargeDeclined',
  limited: 'pm_card_visa_incrementDeclined',
} as const;

const MINUTE = 60_000;

/** A ride can be requested for later from half an hour ahead. */
const AHEAD_MS = [32 * MINUTE, 34 * MINUTE] as const;
/** Under way so much further that the hold has to be raised; before, not so far that a counted run waits for it. */
const FURTHER_METERS = { underWay: 4_000, planned: 500 } as const;
/** Of rides that can be rated, so many are, by each side. */
const RATED = { rider: 0.6, driver: 0.4 } as const;
/** Most people are content. */
const STARS = [5, 5, 5, 4, 4, 3, 2, 1] as const;

const METERS_PER_DEGREE = 111_195;

/** The rides of a city, one after another, for ever; the same for the same files, start and seed. */
export function* ridePlans(input: {
  readonly pickups: readonly Pickup[];
  readonly trips: readonly Trip[];
  readonly start: number;
  readonly seed: string;
}): Generator<RidePlan, never> {
  const tripsOf = sortTrips(input.trips);
  const cashShare = tripsOf('normal', 'cash').length / input.trips.length;
  const pickups = pickupsFrom(input.pickups, input.start);
  for (let block = 0; ; block++) {
    for (const [i, card] of dealBlock(input.seed, block, cashShare).entries()) {
      const number = block * blockSize + i + 1;
      yield planRide(number, card, pickups.next().value, tripsOf(card.persona, card.means), input.seed);
    }
  }
}

const goesOn = ({ durationMs }: Trip): boolean => durationMs >= 6 * MINUTE && durationMs <= 15 * MINUTE;

/**
 * What a trip has to be for what its rider is to do: to last for long enough; and not for too long where much comes
 * before or after, as a counted run ends with its last ride.
 */
const suits: Partial<Record<Persona, (trip: Trip) => boolean>> = {
  plansAhead: ({ durationMs }) => durationMs <= 8 * MINUTE,
  goesFurther: goesOn,
  goesNoFurther: goesOn,
  cannotPayFurther: goesOn,
  endsEarly: goesOn,
  sendsParcels: (trip) => goesOn(trip) && trip.distanceMeters >= 1_500,
};

/** The trips for each persona and means; all of these means where none suits. */
function sortTrips(trips: readonly Trip[]): (persona: Persona, means: Card['means']) => readonly Trip[] {
  const sorted = new Map<string, readonly Trip[]>();
  return (persona, means) => {
    const key = `${persona} ${means}`;
    const known = sorted.get(key);
    if (known) return known;
    const paid = trips.filter((trip) => (trip.means === 'cash') === (means === 'cash'));
    const suiting = paid.filter(suits[persona] ?? (() => true));
    const found = suiting.length > 0 ? suiting : paid;
    sorted.set(key, found);
    return found;
  };
}

function planRide(
  number: number,
  card: Card,
  pickup: Pickup,
  trips: readonly Trip[],
  seed: string,
): RidePlan {
  const random = seededRandom(seed, 'ride', number);
  const trip = random.pick(trips);
  const point = { lat: pickup.lat, lng: pickup.lng };
  const straightMeters = trip.distanceMeters / ROAD_FACTOR;
  const bearing = random.between(0, 2 * Math.PI);
  const isPlanned = card.persona === 'plansAhead' || card.persona === 'cancelsPlan';
  const starsOf = (rated: number): number | null => (random.chance(rated) ? random.pick(STARS) : null);
  return {
    number,
    riderId: `rider-${String(number).padStart(5, '0')}`,
    requestAt: pickup.at,
    pickup: point,
    stops: card.persona === 'sendsParcels' ? dropsOnTheWay(point, straightMeters, bearing, random) : [],
    dropoff: pointAt(point, straightMeters, bearing),
    further: pointAt(point, straightMeters + FURTHER_METERS[isPlanned ? 'planned' : 'underWay'], bearing),
    aheadMs: isPlanned ? random.between(...AHEAD_MS) : 0,
    product: productOf(card, trip),
    paymentMethod: methodOf(card),
    driveMs: trip.durationMs,
    tipMinor: card.means === 'cash' ? 0 : trip.tipMinor,
    stars: { rider: starsOf(RATED.rider), driver: starsOf(RATED.driver) },
    persona: card.persona,
    repeat: card.repeat,
    share: card.share,
    webhook: card.webhook,
  };
}

const methodOf = ({ means }: Card): PaymentMethod =>
  means === 'cash' ? { type: 'cash' } : { type: 'card', token: cards[means] };

function productOf({ persona }: Card, { passengers }: Trip): Product {
  if (persona === 'sendsParcels') return 'courier';
  return passengers > 4 ? 'xl' : 'standard';
}

/** One, two or three drops left and right of the way, the furthest first: the courier finds the better order. */
function dropsOnTheWay(pickup: Point, straightMeters: number, bearing: number, random: Random): Point[] {
  const parts = [0.75, 0.5, 0.25].slice(0, random.pick([1, 2, 3]));
  return parts.map((part) => pointAt(pickup, straightMeters * part, bearing + random.between(-0.4, 0.4)));
}

/** The point this many meters away in the direction of `bearing` (radians, 0 is north), rounded to 0.1 m. */
function pointAt(from: Point, meters: number, bearing: number): Point {
  const lat = from.lat + (meters * Math.cos(bearing)) / METERS_PER_DEGREE;
  const lng =
    from.lng + (meters * Math.sin(bearing)) / (METERS_PER_DEGREE * Math.cos((from.lat * Math.PI) / 180));
  const round = (degrees: number): number => Math.round(degrees * 1e6) / 1e6;
  return { lat: round(Math.max(-90, Math.min(90, lat))), lng: round(Math.max(-180, Math.min(180, lng))) };
}
