import type { ReadBy } from '../../../contracts/consumers';
import { readerOf, type KnownFact } from '../../../contracts/knownFact';
import { CodedError } from '../../../platform/errors';
import { timeOf, type Fact, type Handle } from '../../../platform/inbox';
import type { Tx } from '../../../platform/postgres';

/** Who drives a ride, and when. */
interface Leg {
  /** The sequence of the fact by which the driver got the ride. */
  readonly leg: number;
  readonly driverId: string;
  readonly fromMs: number;
  readonly startedMs: number | null;
  readonly untilMs: number | null;
}

interface RidePath {
  readonly riderId: string;
  readonly driven: Leg | null;
}

const read = readerOf('tracks');

/**
 * Keeps who drives which ride when. Facts and positions have no order between them: where a driver's ride is heard of after
 * positions of that time have been read, these are read again.
 * @throws FactInvalid; CodedError `ride_not_seen` for a ride whose request never came
 */
export const followRides: Handle = async (tx, facts) => {
  const known = facts.flatMap((fact) => {
    const one = read(fact);
    return one === null ? [] : [{ fact, known: one }];
  });
  const begins = known.flatMap(({ fact, known: { type } }) =>
    type === 'ride.driver_assigned' ? [timeOf(fact)] : [],
  );
  if (begins.length > 0) await readAgainSince(tx, Math.min(...begins));
  const paths = await pathsOf(tx, [...new Set(known.map(({ fact }) => fact.key))]);
  const touched = new Map<string, RidePath | null>();
  for (const { fact, known: one } of known) {
    const before = touched.has(fact.key) ? touched.get(fact.key)! : (paths.get(fact.key) ?? null);
    touched.set(fact.key, after(before, fact, one));
  }
  await write(tx, touched);
};

function after(
  path: RidePath | null,
  fact: Fact,
  { type, data }: KnownFact<ReadBy<'tracks'>>,
): RidePath | null {
  if (type === 'ride.requested') return { riderId: data.riderId, driven: null };
  // A ride for later may end before it is asked for.
  if (path === null && !['ride.cancelled', 'ride.payment_failed'].includes(type))
    throw new CodedError('ride_not_seen', `${fact.id} has no request before it`);
  if (path === null) return null;
  const { driven } = path;
  switch (type) {
    case 'ride.driver_assigned':
      return {
        ...path,
        driven: {
          ...{ leg: fact.sequence, driverId: data.driverId, fromMs: timeOf(fact) },
          ...{ startedMs: null, untilMs: null },
        },
      };
    case 'ride.driver_unassigned':
      return { ...path, driven: null };
    case 'ride.started':
      return { ...path, driven: driven && { ...driven, startedMs: timeOf(fact) } };
    case 'ride.completed':
    case 'ride.cancelled':
      return driven && { ...path, driven: { ...driven, untilMs: timeOf(fact) } };
    case 'ride.no_driver_found':
    case 'ride.payment_failed':
      return null;
  }
}

/**
 * Sets the reading of positions back to before `ms`, as far as it has come beyond: to what is known to be kept where that
 * begins later. Whoever is about to move it further
 * waits for this transaction, and then knows of the rides that it has brought.
 */
async function readAgainSince(tx: Tx, ms: number): Promise<void> {
  await tx.query('select from path_positions order by partition for update');
  await tx.query({
    name: 'paths-read-again',
    text: `update path_positions set next_offset = mark."offset" from (
             select partition, coalesce(max("offset") filter (where sent_ms < $1), min("offset")) as "offset"
             from path_marks group by partition
           ) as mark
           where path_positions.partition = mark.partition and path_positions.next_offset > mark."offset"`,
    values: [ms],
  });
}

async function pathsOf(tx: Tx, rideIds: readonly string[]): Promise<Map<string, RidePath>> {
  const { rows } = await tx.query<{ rideId: string; riderId: string } & { [K in keyof Leg]: Leg[K] | null }>({
    name: 'paths-of-rides',
    text: `select ride_id as "rideId", rider_id as "riderId", leg, driver_id as "driverId", from_ms as "fromMs",
             started_ms as "startedMs", until_ms as "untilMs"
           from ride_paths where ride_id = any ($1)`,
    values: [rideIds],
  });
  return new Map(
    rows.map(({ rideId, riderId, ...driven }) => [
      rideId,
      { riderId, driven: driven.leg === null ? null : (driven as Leg) },
    ]),
  );
}

async function write(tx: Tx, touched: ReadonlyMap<string, RidePath | null>): Promise<void> {
  const gone = [...touched].flatMap(([rideId, path]) => (path === null ? [rideId] : []));
  const kept = [...touched].flatMap(([rideId, path]) => (path === null ? [] : [{ rideId, ...path }]));
  if (gone.length > 0)
    await tx.query({
      name: 'paths-gone',
      text: 'delete from ride_paths where ride_id = any ($1)',
      values: [gone],
    });
  if (kept.length === 0) return;
  const column = <K extends keyof Leg>(name: K) => kept.map(({ driven }) => driven?.[name] ?? null);
  await tx.query({
    name: 'paths-kept',
    text: `insert into ride_paths (ride_id, rider_id, leg, driver_id, from_ms, started_ms, until_ms)
           select * from unnest($1::uuid[], $2::text[], $3::integer[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
           on conflict (ride_id) do update set rider_id = excluded.rider_id, leg = excluded.leg,
             driver_id = excluded.driver_id, from_ms = excluded.from_ms, started_ms = excluded.started_ms,
             until_ms = excluded.until_ms`,
    values: [
      ...[kept.map(({ rideId }) => rideId), kept.map(({ riderId }) => riderId)],
      ...[column('leg'), column('driverId'), column('fromMs'), column('startedMs'), column('untilMs')],
    ],
  });
}
