import { writtenFact } from '../../../contracts/writtenFact';
import { stepId, zonesOfDriver } from '../../../domain/names';
import { recordFact } from '../../../platform/outbox';
import { withTransaction, type Pool, type Queryable, type Tx } from '../../../platform/postgres';
import { zonesAfter } from '../../../domain/zones';
import type { Crossing, Stay } from './sieve';

interface StoredStay extends Stay {
  readonly sequence: number;
  readonly version: number;
}

/** The drivers who are in a zone. */
export async function staysNow(db: Queryable): Promise<Stay[]> {
  const { rows } = await db.query<Stay>({
    name: 'zone-stays-now',
    text: `select driver_id as "driverId", zones from zone_stays where zones <> '{}'`,
  });
  return rows;
}

/**
 * Changes where drivers are, each only by a position that is newer than the one which changed it last, and records what
 * that means as facts, all in one transaction. Doing it again changes nothing.
 * @returns where each of these drivers is then
 */
export async function cross(
  pool: Pool,
  crossings: readonly Crossing[],
  topicPrefix: string,
): Promise<Stay[]> {
  return withTransaction(pool, async (tx) => {
    const stays = await lockStays(tx, [...new Set(crossings.map(({ driverId }) => driverId))].sort());
    const changed = new Set<string>();
    for (const crossing of crossings) {
      const stay = stays.get(crossing.driverId)!;
      const zones = zonesAfter(stay.zones, crossing);
      if (crossing.sequence <= stay.sequence || String(zones) === String(stay.zones)) continue;
      const version = await tell(tx, stay, { ...crossing, zones }, topicPrefix);
      const { driverId, sequence } = crossing;
      stays.set(driverId, { driverId, zones, sequence, version });
      changed.add(driverId);
    }
    await write(
      tx,
      [...changed].map((driverId) => stays.get(driverId)!),
    );
    return [...stays.values()];
  });
}

/** Everybody locks drivers in the order of their ids, so none waits for another in a ring. */
async function lockStays(tx: Tx, driverIds: readonly string[]): Promise<Map<string, StoredStay>> {
  await tx.query({
    name: 'zone-stays-begin',
    text: `insert into zone_stays (driver_id) select unnest($1::text[]) on conflict do nothing`,
    values: [driverIds],
  });
  const { rows } = await tx.query<StoredStay>({
    name: 'zone-stays-lock',
    text: `select driver_id as "driverId", zones, sequence, version from zone_stays
           where driver_id = any ($1) order by driver_id for update`,
    values: [driverIds],
  });
  return new Map(rows.map((stay) => [stay.driverId, stay]));
}

/** A fact for each zone that was left, then one for each that was entered. @returns the version that the last one made */
async function tell(
  tx: Tx,
  stay: StoredStay,
  now: Stay & Pick<Crossing, 'sequence' | 'atMs'>,
  topicPrefix: string,
): Promise<number> {
  const { driverId, zones, sequence, atMs } = now;
  const aggregateId = zonesOfDriver(driverId);
  const at = new Date(atMs).toISOString();
  const told = [
    ...stay.zones.filter((zone) => !zones.includes(zone)).map((zoneId) => ['zone.left', zoneId] as const),
    ...zones.filter((zone) => !stay.zones.includes(zone)).map((zoneId) => ['zone.entered', zoneId] as const),
  ];
  let { version } = stay;
  for (const [type, zoneId] of told) {
    version += 1;
    const data = { driverId, zoneId, positionSequence: sequence };
    await recordFact(tx, {
      ...{ stepId: stepId(aggregateId, 'zone', version), aggregateId, version },
      source: '/hailway/tracks',
      ...writtenFact({ type, at, data }, topicPrefix),
    });
  }
  return version;
}

async function write(tx: Tx, stays: readonly StoredStay[]): Promise<void> {
  await tx.query({
    name: 'zone-stays-write',
    text: `update zone_stays set zones = string_to_array(now.zones, ','), sequence = now.sequence, version = now.version
           from unnest($1::text[], $2::text[], $3::bigint[], $4::integer[]) as now (driver_id, zones, sequence, version)
           where zone_stays.driver_id = now.driver_id`,
    values: [
      stays.map(({ driverId }) => driverId),
      stays.map(({ zones }) => zones.join(',')),
      stays.map(({ sequence }) => sequence),
      stays.map(({ version }) => version),
    ],
  });
}
