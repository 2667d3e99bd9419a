import { v7 as uuidv7 } from 'uuid';
import type { Handle } from '../../../platform/inbox';
import type { OutgoingRecord } from '../../../platform/kafka';
import { logOf, type BenchLog } from './log';

/** A ride has so many facts, and so many rides are under way at once. */
const FACTS_PER_RIDE = 10;
const RIDES_AT_ONCE = 500;
/** Facts of rides that are under way side by side, in the order of each ride. */
export function makeLog(topic: string, facts: number): BenchLog {
  const once: OutgoingRecord[] = [];
  let live: { id: string; version: number }[] = [];
  while (once.length < facts) {
    while (live.length < RIDES_AT_ONCE) live.push({ id: uuidv7(), version: 0 });
    for (const ride of live) {
      ride.version += 1;
      if (once.length < facts) once.push(factOf(topic, ride.id, ride.version));
    }
    live = live.filter(({ version }) => version < FACTS_PER_RIDE);
  }
  return logOf(once);
}

const amountOf = (version: number): number => 100 + version;

function factOf(topic: string, rideId: string, version: number): OutgoingRecord {
  const time = new Date(Date.UTC(2026, 2, 1) + version * 60_000).toISOString();
  return {
    topic,
    key: rideId,
    value: JSON.stringify({
      ...{ rideId, riderId: `rider-${rideId.slice(-8)}`, driverId: `driver-${rideId.slice(-6)}` },
      ...{ pickup: { lat: 40.75 + version / 100, lng: -73.98 }, dropoff: { lat: 40.7, lng: -74.0 } },
      ...{ distanceMeters: 6_000, durationSeconds: 900, product: 'standard', by: 'driver' },
      fare: { currency: 'USD', totalMinor: amountOf(version), lines: [{ kind: 'base', amountMinor: 100 }] },
    }),
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: `ride.stop_reached/${rideId}/${version}`,
      ce_source: '/hailway/rides',
      ce_type: 'ride.stop_reached',
      ce_dataschema: 'ride.stop_reached.v1',
      ce_time: time,
      ce_subject: rideId,
      ce_sequence: String(version),
      ce_correlationid: rideId,
      ce_causationid: `${rideId}/reach_stop/${version}`,
      traceparent: `00-${rideId.replaceAll('-', '')}-${rideId.slice(-12)}0000-01`,
    },
  };
}

/** Tables of what all contestants do with the facts. */
export const effectTable = `create table ride_totals (ride_id uuid primary key, facts integer not null, minor bigint not null)
  with (fillfactor = 70)`;

/** The effect: what was done and earned on each ride, added up; a row for each ride of the call. */
export const addUp: Handle = async (tx, facts) => {
  const totals = new Map<string, { facts: number; minor: number }>();
  for (const { key, data } of facts) {
    const { totalMinor } = (data as { fare: { totalMinor: number } }).fare;
    const total = totals.get(key);
    if (total === undefined) totals.set(key, { facts: 1, minor: totalMinor });
    else {
      total.facts += 1;
      total.minor += totalMinor;
    }
  }
  const sums = [...totals.values()];
  await tx.query({
    name: 'add-up',
    text: `insert into ride_totals as t (ride_id, facts, minor) select * from unnest($1::uuid[], $2::int[], $3::bigint[])
           on conflict (ride_id) do update set facts = t.facts + excluded.facts, minor = t.minor + excluded.minor`,
    values: [[...totals.keys()], sums.map((sum) => sum.facts), sums.map((sum) => sum.minor)],
  });
};

/** What adding up these records, each as often as it comes, gives: by ride, `facts minor`. */
export function totalsOf(records: Iterable<OutgoingRecord>): Map<string, string> {
  const totals = new Map<string, [number, number]>();
  for (const { key, headers } of records) {
    const total = totals.get(key as string) ?? [0, 0];
    total[0] += 1;
    total[1] += amountOf(Number(headers['ce_sequence']));
    totals.set(key as string, total);
  }
  return new Map([...totals].map(([key, total]) => [key, total.join(' ')]));
}
