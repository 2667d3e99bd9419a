import { ROAD_FACTOR } from '../../../domain/eta';
import type { Product } from '../../../domain/fare';
import type { Point } from '../../../domain/geo';
import type { PaymentMethod } from '../../../domain/ride';
import { seededRandom } from '../random';
import { blockSize, dealBlock, type Card, type Persona, type Repeat } from './deck';
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
  readonly dropoff: Point;
  readonly product: Product;
  readonly paymentMethod: PaymentMethod;
  /** How long the drive takes, in the city's milliseconds: the trip's duration. */
  readonly driveMs: number;
  /** 0 for no tip. */
  readonly tipMinor: number;
  readonly persona: Persona;
  readonly repeat: Repeat;
}

/** Stripe's test cards. */
const cards = { good: 'pm_card_visa', declined: 'pm_card_visa_chargeDeclined' } as const;

const METERS_PER_DEGREE = 111_195;

/** The rides of a city, one after another, for ever; the same for the same files, start and seed. */
export function* ridePlans(input: {
  readonly pickups: readonly Pickup[];
  readonly trips: readonly Trip[];
  readonly start: number;
  readonly seed: string;
}): Generator<RidePlan, never> {
  const trips = { card: tripsBy('card', input.trips), cash: tripsBy('cash', input.trips) };
  const cashShare = trips.cash.length / input.trips.length;
  const pickups = pickupsFrom(input.pickups, input.start);
  for (let block = 0; ; block++) {
    for (const [i, card] of dealBlock(input.seed, block, cashShare).entries()) {
      const number = block * blockSize + i + 1;
      yield planRide(number, card, pickups.next().value, trips[card.means], input.seed);
    }
  }
}

const tripsBy = (means: Trip['means'], trips: readonly Trip[]): Trip[] =>
  trips.filter((trip) => trip.means === means);

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
  return {
    number,
    riderId: `rider-${String(number).padStart(5, '0')}`,
    requestAt: pickup.at,
    pickup: point,
    dropoff: pointAt(point, trip.distanceMeters / ROAD_FACTOR, random.between(0, 2 * Math.PI)),
    product: trip.passengers > 4 ? 'xl' : 'standard',
    paymentMethod: methodOf(card),
    driveMs: trip.durationMs,
    tipMinor: card.means === 'card' ? trip.tipMinor : 0,
    persona: card.persona,
    repeat: card.repeat,
  };
}

function methodOf({ persona, means }: Card): PaymentMethod {
  if (means === 'cash') return { type: 'cash' };
  return { type: 'card', token: persona === 'declinedCard' ? cards.declined : cards.good };
}

/** The point this many meters away in the direction of `bearing` (radians, 0 is north), rounded to 0.1 m. */
function pointAt(from: Point, meters: number, bearing: number): Point {
  const lat = from.lat + (meters * Math.cos(bearing)) / METERS_PER_DEGREE;
  const lng =
    from.lng + (meters * Math.sin(bearing)) / (METERS_PER_DEGREE * Math.cos((from.lat * Math.PI) / 180));
  const round = (degrees: number): number => Math.round(degrees * 1e6) / 1e6;
  return { lat: round(Math.max(-90, Math.min(90, lat))), lng: round(Math.max(-180, Math.min(180, lng))) };
}
