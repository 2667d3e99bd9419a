import type { Queryable } from '../../../platform/postgres';
import type { OutgoingRecord } from '../../../platform/kafka';

/** A fact as the relay sends it, all in memory. */
export interface BenchFact extends OutgoingRecord {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const PARTITIONS = 12;
/** Facts that a relay is warmed up with. */
export const WARM_UP = 400;
export const KEYS = 500;

/** So many facts of 500 keys, each key's in order, of the size and with the headers of a real ride's. */
export function makeFacts(topic: string, count: number): BenchFact[] {
  return Array.from({ length: count }, (_, i) => {
    const key = `0190d5c0-7a1b-7000-8000-${String(i % KEYS).padStart(12, '0')}`;
    const sequence = Math.floor(i / KEYS) + 1;
    const headers = {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: `ride.driver_assigned/${key}/${sequence}`,
      ce_source: '/hailway/rides',
      ce_type: 'ride.driver_assigned',
      ce_dataschema: 'ride.driver_assigned.v1',
      ce_time: '2026-01-01T12:00:00.000Z',
      ce_subject: key,
      ce_sequence: String(sequence),
      ce_correlationid: key,
      ce_causationid: `${key}/assignDriver/${sequence}`,
    };
    const value = JSON.stringify({
      ...{ driverId: 'driver-0190d5c0-7a1b-7000-8000', offerId: `offer-${key}`, round: 1, etaSeconds: 240 },
      pickup: { lat: 40.75012345, lng: -73.99412345 },
      vehicle: { plate: 'T123456C', product: 'standard', name: 'Jordan' },
    });
    return { topic, key, headers, value };
  });
}

/** Puts facts into an outbox table in their order, some thousand a transaction. */
export async function fill(db: Queryable, table: string, facts: readonly BenchFact[]): Promise<void> {
  for (let i = 0; i < facts.length; i += 5_000) {
    const part = facts.slice(i, i + 5_000);
    await db.query(
      `insert into ${table} (topic, key, headers, value)
       select topic, key, headers::json, value from unnest($1::text[], $2::text[], $3::text[], $4::text[])
         with ordinality as f (topic, key, headers, value, place) order by place`,
      [
        part.map(({ topic }) => topic),
        part.map(({ key }) => key),
        part.map(({ headers }) => JSON.stringify(headers)),
        part.map(({ value }) => value),
      ],
    );
  }
}
