import type { StoredPath } from '../../../contracts/api/tracks';
import type { Queryable } from '../../../platform/postgres';
import { chunkId } from './chunks';

/** The way of a ride as it is kept: sealed. Null for a ride that nobody drives, or that is not known. */
export async function readPath(db: Queryable, rideId: string): Promise<StoredPath | null> {
  const { rows } = await db.query<Omit<StoredPath, 'chunks'> & { leg: number; day: string }>({
    name: 'path-read',
    text: `select rider_id as "riderId", driver_id as "driverId", leg, from_ms as "fromMs", started_ms as "startedMs",
             until_ms as "untilMs", to_char(to_timestamp(from_ms / 1000.0) at time zone 'UTC', 'YYYY-MM-DD') as day
           from ride_paths where ride_id = $1 and driver_id is not null`,
    values: [rideId],
  });
  const [path] = rows;
  if (path === undefined) return null;
  const { leg, day, ...driven } = path;
  const chunks = await db.query<{ partition: number; last: number; sealed: Buffer }>({
    name: 'path-chunks-read',
    text: `select partition, last_offset as last, sealed from path_chunks
           where day = $1 and ride_id = $2 and leg = $3 order by partition, last_offset`,
    values: [day, rideId, leg],
  });
  return {
    ...driven,
    chunks: chunks.rows.map(({ partition, last, sealed }) => ({
      id: chunkId(rideId, leg, partition, last),
      sealed: sealed.toString('base64'),
    })),
  };
}
