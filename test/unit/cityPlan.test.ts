import { orderDrops } from '../../domain/courier';
import { ROAD_FACTOR } from '../../domain/eta';
import { upfrontFare } from '../../domain/fare';
import { distanceMeters, type Point } from '../../domain/geo';
import { standardPolicies } from '../../domain/policies';
import { estimateTrip } from '../../services/pricing/estimate';
import { blockSize, dealBlock, personas, wayOf, type Persona } from '../../tools/city/input/deck';
import { ridePlans, type RidePlan } from '../../tools/city/input/plan';
import { cityStart, checkPickups } from '../../tools/city/input/pickups';
import { readTrips, type Trip } from '../../tools/city/input/trips';
import { seededRandom } from '../../tools/city/random';

const count = <T>(items: readonly T[], is: (item: T) => boolean): number => items.filter(is).length;

describe('the deck', () => {
  it.each(['1', 'a seed', '2014'])('deals every share in every block of 25 (seed %s)', (seed) => {
    for (let block = 0; block < 20; block++) {
      const cards = dealBlock(seed, block, 0.28);
      expect(cards).toHaveLength(25);
      for (const [persona, { share }] of Object.entries(personas) as [Persona, { share: number }][]) {
        expect([persona, count(cards, (card) => card.persona === persona)]).toEqual([persona, share]);
      }
      expect(count(cards, ({ means }) => means === 'cash')).toBe(7);
      for (const { persona, means } of cards) {
        const wanted: unknown = wayOf(persona).card ?? expect.stringMatching(/^(good|cash)$/);
        expect([persona, means]).toEqual([persona, wanted]);
      }
      expect(count(cards, ({ share }) => share === 'once')).toBe(3);
      expect(count(cards, ({ share }) => share === 'takesBack')).toBe(3);
      expect(count(cards, ({ webhook }) => webhook)).toBe(4);
      expect(count(cards, ({ repeat }) => repeat === 'later')).toBe(3);
      expect(count(cards, ({ repeat }) => repeat === 'atOnce')).toBe(3);
    }
  });

  it('has every way that a ride can end', () => {
    expect(new Set(Object.values(personas).map(({ ends }) => ends))).toEqual(
      new Set(['completed', 'cancelled', 'no_driver', 'payment_failed']),
    );
    expect(blockSize).toBe(25);
  });

  it('is shuffled anew for every block, the same for the same seed', () => {
    expect(dealBlock('1', 0, 0.3)).toEqual(dealBlock('1', 0, 0.3));
    expect(dealBlock('1', 0, 0.3)).not.toEqual(dealBlock('1', 1, 0.3));
    expect(dealBlock('1', 0, 0.3)).not.toEqual(dealBlock('2', 0, 0.3));
  });
});

describe('the plans', () => {
  let draw: (seed: string) => RidePlan[];
  let trips: Trip[];
  beforeAll(async () => {
    const pickups = await checkPickups('data/nyc-pickups-2014-04-02.csv');
    trips = await readTrips('data/nyc-taxi-trips-2019-03.csv');
    const start = cityStart(pickups);
    draw = (seed) => {
      const plans = ridePlans({ pickups, trips, start, seed });
      return Array.from({ length: 200 }, () => plans.next().value);
    };
  });

  it('are the same for the same seed and others for another', () => {
    expect(draw('1')).toEqual(draw('1'));
    expect(draw('1')).not.toEqual(draw('2'));
  });

  it('request where and when the pickups say, from seven on', () => {
    const plans = draw('1');
    const times = plans.map(({ requestAt }) => new Date(requestAt).toISOString());
    expect(times[0]).toBe('2014-04-02T07:00:00.000Z');
    expect(times.at(-1)).toBe('2014-04-02T07:34:00.000Z');
    expect(draw('2').map(({ pickup }) => pickup)).toEqual(plans.map(({ pickup }) => pickup));
  });

  it('go as far and as long as a trip did, and tip what was tipped, by card only', () => {
    const known = new Set(trips.map((trip) => `${trip.durationMs} ${Math.round(trip.distanceMeters / 20)}`));
    for (const plan of draw('1')) {
      const roads = distanceMeters(plan.pickup, plan.dropoff) * ROAD_FACTOR;
      const near = [-1, 0, 1].map((d) => `${plan.driveMs} ${Math.round(roads / 20) + d}`);
      expect(near.some((key) => known.has(key))).toBe(true);
      if (plan.paymentMethod.type === 'cash') expect(plan.tipMinor).toBe(0);
    }
    expect(count(draw('1'), ({ tipMinor }) => tipMinor > 0)).toBeGreaterThan(80);
  });

  it('suit what their persona does, by whatever seed', () => {
    const holdRoomMinor = standardPolicies.waitingCapMinor;
    for (const plan of ['1', '2', '2014'].flatMap(draw)) {
      const { persona, pickup, stops, dropoff, further, aheadMs, product } = plan;
      const isPlanned = persona === 'plansAhead' || persona === 'cancelsPlan';
      if (isPlanned) expect(aheadMs).toBeGreaterThan(standardPolicies.scheduleMinAheadMs);
      else expect(aheadMs).toBe(0);
      expect(product === 'courier').toBe(persona === 'sendsParcels');
      if (product === 'courier') {
        expect(stops.length).toBeGreaterThan(0);
        // What the API refuses throws.
        expect(orderDrops(pickup, [...stops, dropoff])).toHaveLength(stops.length + 1);
      } else expect(stops).toEqual([]);
      if (persona === 'cannotPayFurther') {
        const fareTo = (to: Point): number =>
          upfrontFare({ product, ...estimateTrip([pickup, to], 0), surge: 1 }).totalMinor;
        expect(fareTo(further)).toBeGreaterThan(fareTo(dropoff) + holdRoomMinor);
      }
    }
  });

  it('pay with the card that their persona has', () => {
    for (const { persona, paymentMethod } of draw('1')) {
      const token = paymentMethod.type === 'card' ? paymentMethod.token : null;
      if (persona === 'declinedCard') expect(token).toBe('pm_card_visa_chargeDeclined');
      else if (persona === 'cannotPayFurther') expect(token).toBe('pm_card_visa_incrementDeclined');
      else expect([null, 'pm_card_visa']).toContain(token);
    }
  });
});

describe('a seeded generator', () => {
  it('draws evenly, and one purpose apart from another', () => {
    const random = seededRandom('1', 'ride', 1);
    const numbers = Array.from({ length: 10_000 }, () => random.next());
    const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
    expect(mean).toBeGreaterThan(0.48);
    expect(mean).toBeLessThan(0.52);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    expect(seededRandom('1', 'ride', 2).next()).not.toBe(numbers[0]);
    expect(seededRandom('1', 'ride', 1).next()).toBe(numbers[0]);
  });

  it('shuffles without losing any', () => {
    const items = Array.from({ length: 50 }, (_, i) => i);
    const shuffled = seededRandom('x').shuffle(items);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
  });
});
