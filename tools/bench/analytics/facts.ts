import { join } from 'node:path';
import { latLngToCell } from 'h3-js';
import { v7 as uuidv7 } from 'uuid';
import { CELL_RESOLUTION, type Point } from '../../../domain/geo';
import type { OutgoingRecord } from '../../../platform/kafka';
import { checkPickups } from '../../city/input/pickups';
import { projectRoot } from '../../stack/places';
import { logOf, type BenchLog } from '../inbox/log';
import { Wanted, type Effect } from './wanted';

/** New York has about so many rides for each of the sample's: 586,000 a day. */
const RIDES_PER_PICKUP = 100;
/** From the evening on, where the sample is densest. */
const FROM_HOUR = 17;
/** Of a ride, with its quote. */
const FACTS_PER_RIDE = 7;
const RIDES_PER_SHIFT = 10;
const MINUTE_MS = 60_000;
/** Of so many rides one ends out of reach: its end is told that much later, too late for the minute that it was in. */
const RIDES_PER_LATE_END = 100;
const LATE_BY_MS = 20 * MINUTE_MS;

/** A fact to come, and what it is to be counted as. */
interface Happening {
  readonly atMs: number;
  /** When it is told, if not at once. */
  readonly toldMs?: number;
  readonly key: string;
  /** With the version of its schema: `ride.requested.v2`. */
  readonly schema: string;
  readonly data: object;
  readonly effects: readonly Effect[];
}

/**
 * Rides of New York's evening as they come, thousands side by side, in the order of time: each a quote and a ride from its
 * request to its end (of twelve one cancelled, of fifteen one without a driver, some told late), and now and then a driver's
 * shift.
 */
export async function makeCityLog(topic: string, facts: number): Promise<BenchLog & { wanted: Wanted }> {
  const sample = await checkPickups(join(projectRoot(), 'data/nyc-pickups-2014-04-02.csv'));
  const pickups = sample.filter(({ at }) => new Date(at).getUTCHours() >= FROM_HOUR);
  const all: Happening[] = [];
  // Those that begin last have not ended when the log does: so some more are begun.
  for (let i = 0; i * FACTS_PER_RIDE < facts * 2; i += 1) {
    const pickup = pickups[Math.floor(i / RIDES_PER_PICKUP) % pickups.length]!;
    const ride = {
      askedMs: pickup.at + ((i % RIDES_PER_PICKUP) * MINUTE_MS) / RIDES_PER_PICKUP,
      pickup: near(pickup, i),
      dropoff: near(pickups[(i * 7_919) % pickups.length]!, i),
      driverId: `driver-${i}`,
    };
    all.push(...rideOf(i, ride), ...(i % RIDES_PER_SHIFT === 0 ? shiftOf(ride) : []));
  }
  all.sort((a, b) => (a.toldMs ?? a.atMs) - (b.toldMs ?? b.atMs));
  const wanted = new Wanted();
  const sequences = new Map<string, number>();
  const once = all.slice(0, facts).map((happening) => {
    const sequence = (sequences.get(happening.key) ?? 0) + 1;
    sequences.set(happening.key, sequence);
    for (const effect of happening.effects) wanted.add(effect, happening.atMs);
    return recordOf(topic, happening, sequence);
  });
  return { ...logOf(once), wanted };
}

interface Ride {
  readonly askedMs: number;
  readonly pickup: Point;
  readonly dropoff: Point;
  readonly driverId: string;
}

const cellOf = ({ lat, lng }: Point): string => latLngToCell(lat, lng, CELL_RESOLUTION);
/** Up to a kilometer away: not all rides of a pickup begin at one door. */
const near = ({ lat, lng }: Point, i: number): Point => ({
  lat: lat + (((i * 37) % 100) - 50) / 5_000,
  lng: lng + (((i * 61) % 100) - 50) / 4_000,
});

function rideOf(i: number, { askedMs, pickup, dropoff, driverId }: Ride): Happening[] {
  const [rideId, quoteId, riderId] = [uuidv7(), uuidv7(), `rider-${i}`];
  const [pickupCell, dropoffCell] = [cellOf(pickup), cellOf(dropoff)];
  const [assignedMs, startedMs] = [
    askedMs + 5_000 + (i % 60) * 1_000,
    askedMs + (i % 7) * MINUTE_MS + 120_000,
  ];
  const endedMs = startedMs + (5 + (i % 20)) * MINUTE_MS;
  const chargeMinor = 800 + (i % 3_000);
  const fare = {
    currency: 'USD',
    totalMinor: chargeMinor,
    lines: [{ kind: 'base', amountMinor: chargeMinor }],
  };
  const asked = {
    ...{ riderId, quoteId, product: 'standard', pickup, pickupCell, stops: [] },
    ...{ dropoff, distanceMeters: 6_000, durationSeconds: 900, fare, scheduledFor: null },
  };
  const expiresAt = new Date(askedMs).toISOString();
  const hour = (name: string, value = 1): Effect => ({
    of: 'hour',
    name,
    cell: pickupCell,
    atMs: askedMs,
    value,
  });
  const demand = (what: string, cell = pickupCell): Effect => ({ of: 'demand', what, cell });
  const spread = (name: string, ms: number): Effect => ({
    ...{ of: 'spread', name, cell: pickupCell, atMs: askedMs, seconds: ms / 1_000 },
  });
  const of = (schema: string, atMs: number, data: object, ...effects: Effect[]): Happening => ({
    ...{ atMs, key: rideId, schema, data, effects },
  });
  const request = of(
    ...(['ride.requested.v2', askedMs] as const),
    { ...asked, rideId, dropoffCell, paymentMethod: { type: 'card', token: 'pm_1' } },
    ...[demand('requested'), hour('requested'), { of: 'asker', riderId, cell: pickupCell } as const],
  );
  const begun = [
    {
      ...of('quote.issued.v2', askedMs - 20_000, { ...asked, surge: 1, expiresAt }),
      ...{ key: quoteId, effects: [{ ...hour('quoted'), atMs: askedMs - 20_000 }] },
    },
    request,
    of('ride.matching_started.v1', askedMs + 500, {}),
  ];
  if (i % 15 === 7)
    return [...begun, of('ride.no_driver_found.v1', assignedMs, {}, demand('noDriver'), hour('noDriver'))];
  const offerId = uuidv7();
  const taken = [
    ...begun,
    of(
      ...(['ride.driver_assigned.v1', assignedMs, { driverId, offerId }] as const),
      ...[demand('assigned'), hour('matched'), spread('matchSeconds', assignedMs - askedMs)],
    ),
  ];
  const busy = (untilMs: number): Effect => ({
    ...{ of: 'seconds', name: 'busySeconds', cell: pickupCell, fromMs: assignedMs, untilMs },
  });
  if (i % 12 === 5) {
    const data = { by: 'rider', reason: 'changed_mind', driverId, feeMinor: 0, currency: 'USD' };
    const effects = [demand('cancelled'), demand('freed'), hour('cancelled'), busy(startedMs)];
    return [...taken, of('ride.cancelled.v1', startedMs, data, ...effects)];
  }
  const isToldLate = i % RIDES_PER_LATE_END === 0;
  const inItsMinute = isToldLate
    ? [{ of: 'late' } as const]
    : [demand('completed'), demand('freed', dropoffCell)];
  const completed = of(
    ...(['ride.completed.v1', endedMs, { driverId, chargeMinor, currency: 'USD' }] as const),
    ...[...inItsMinute, hour('completed'), busy(endedMs), hour('revenueMinor:USD', chargeMinor)],
    spread('etaErrorSeconds', Math.abs(endedMs - startedMs - asked.durationSeconds * 1_000)),
  );
  return [
    ...taken,
    of('ride.driver_arrived.v1', startedMs - 30_000, { driverId }),
    of('ride.started.v1', startedMs, { driverId }, spread('waitSeconds', startedMs - askedMs)),
    isToldLate ? { ...completed, toldMs: endedMs + LATE_BY_MS } : completed,
  ];
}

function shiftOf({ askedMs, pickup, driverId }: Ride): Happening[] {
  const [onlineMs, offlineMs, cell] = [askedMs - MINUTE_MS, askedMs + 40 * MINUTE_MS, cellOf(pickup)];
  const online: Effect = {
    ...{ of: 'seconds', name: 'onlineSeconds', cell, fromMs: onlineMs, untilMs: offlineMs },
  };
  const of = (schema: string, atMs: number, data: object, effect: Effect): Happening => ({
    ...{ atMs, key: driverId, schema, data, effects: [effect] },
  });
  return [
    of('driver.went_online.v1', onlineMs, { driverId, cell }, { of: 'demand', what: 'freed', cell }),
    of('driver.went_offline.v1', offlineMs, { driverId }, online),
  ];
}

function recordOf(topic: string, { atMs, key, schema, data }: Happening, sequence: number): OutgoingRecord {
  const type = schema.replace(/\.v\d+$/, '');
  return {
    ...{ topic, key, value: JSON.stringify(data) },
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: `${type}/${key}/${sequence}`,
      ce_source: '/hailway/rides',
      ce_type: type,
      ce_dataschema: schema,
      ce_time: new Date(atMs).toISOString(),
      ce_subject: key,
      ce_sequence: String(sequence),
      ce_correlationid: key,
      ce_causationid: `${key}/${type}/${sequence}`,
    },
  };
}
