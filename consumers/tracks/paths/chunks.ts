import { encodePath, MOST_POINTS } from '../../../contracts/pathChunk';
import type { Vault } from '../../../platform/personal';
import { withTransaction, type Pool, type Tx } from '../../../platform/postgres';
import type { Collector, SaidPoint, Way } from './collector';
import { isDuring, type DrivenRide, type Legs } from './legs';

/** What a chunk's seal is bound to. */
export const chunkId = (rideId: string, leg: number, partition: number, lastOffset: number): string =>
  `path/${rideId}/${leg}/${partition}/${lastOffset}`;

/** Positions are kept in Kafka for an hour: there is nothing to go back to before. */
const MARKS_KEPT_MS = 3_600_000;

export interface WriteOptions {
  readonly pool: Pool;
  readonly vault: Pick<Vault, 'withKeys' | 'sealBytes'>;
  readonly legs: Legs;
  /** The oldest position that somebody is interested in. */
  readonly sinceMs: () => number;
  /** Told of rides that the legs have become aware of. */
  readonly onNew: (rides: readonly DrivenRide[]) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Writes what was collected, and moves the partition's position behind it, in one transaction; nothing where the position
 * is another's by now. What has to be read again for a ride that was not known is left.
 * @returns whether all of it is written
 */
export const writeWays = (collector: Collector, options: WriteOptions): Promise<boolean> =>
  options.vault.withKeys(() =>
    withTransaction(options.pool, async (tx) => {
      const { partition, from } = collector;
      const { rows } = await tx.query<{ next: number }>({
        name: 'path-position-lock',
        text: `select next_offset as next from path_positions where partition = $1 for update`,
        values: [partition],
      });
      if (rows[0]?.next !== from) return false;
      // Whoever makes a ride known has waited for this lock, or is done: nobody is missed.
      options.onNew(await options.legs.look(tx, options.sinceMs(), options.now()));
      const isWhole = !collector.goBack();
      if (collector.next > from) {
        await insertChunks(tx, collector, options);
        await movePosition(tx, collector);
      }
      return isWhole;
    }),
  );

async function insertChunks(tx: Tx, collector: Collector, { vault, legs }: WriteOptions): Promise<void> {
  const { partition } = collector;
  const ways = [...collector.ways.values()].flatMap(({ ride, points }): Way[] => {
    const now = legs.now(ride);
    return now ? [{ ride: now, points: points.filter(({ atMs }) => isDuring(now, atMs)) }] : [];
  });
  if (ways.length === 0) return;
  const written = await writtenOffsets(tx, partition, ways);
  const plain = ways.flatMap(({ ride, points }) => {
    const until = written.get(ride.rideId) ?? -1;
    return slicesOf(points.filter(({ offset }) => offset > until)).map((slice) => {
      const [first, last] = [slice[0]!.offset, slice.at(-1)!.offset];
      const id = chunkId(ride.rideId, ride.leg, partition, last);
      const chunk = { ...ride, first, last, points: slice.length };
      return { ...chunk, id, subject: ride.riderId, bytes: encodePath(slice) };
    });
  });
  const seals = vault.sealBytes(plain);
  const chunks = plain.flatMap((chunk, n) => {
    const sealed = seals[n]!;
    return sealed === null ? [] : [{ ...chunk, sealed }];
  });
  const column = <T>(of: (chunk: (typeof chunks)[number]) => T): T[] => chunks.map(of);
  await tx.query({
    name: 'path-chunks-insert',
    text: `insert into path_chunks (day, ride_id, leg, partition, first_offset, last_offset, points, sealed)
           select day, ride_id, leg, $1, first, last, points, sealed
           from unnest($2::date[], $3::uuid[], $4::integer[], $5::bigint[], $6::bigint[], $7::integer[], $8::bytea[])
             as chunk (day, ride_id, leg, first, last, points, sealed)`,
    values: [
      ...[partition, column(({ fromMs }) => dayOf(fromMs)), column(({ rideId }) => rideId)],
      ...[column(({ leg }) => leg), column(({ first }) => first), column(({ last }) => last)],
      ...[column(({ points }) => points), column(({ sealed }) => sealed)],
    ],
  });
}

/** Which records have given their points before: a partition that was set back is read twice. By ride. */
async function writtenOffsets(
  tx: Tx,
  partition: number,
  ways: readonly Way[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await tx.query<{ rideId: string; last: number }>({
    name: 'path-chunks-written',
    text: `select ride_id as "rideId", max(last_offset) as last
           from path_chunks join unnest($2::date[], $3::uuid[], $4::integer[]) as ride (day, ride_id, leg)
             using (day, ride_id, leg)
           where partition = $1 group by ride_id`,
    values: [
      ...[partition, ways.map(({ ride }) => dayOf(ride.fromMs)), ways.map(({ ride }) => ride.rideId)],
      ways.map(({ ride }) => ride.leg),
    ],
  });
  return new Map(rows.map(({ rideId, last }) => [rideId, last]));
}

/** No more than a chunk has; a record's points are in one chunk, as they are written once by their record. */
function slicesOf(points: readonly SaidPoint[]): SaidPoint[][] {
  const slices: SaidPoint[][] = [];
  for (const point of points) {
    const last = slices.at(-1);
    if (last === undefined || (last.length >= MOST_POINTS / 2 && last.at(-1)!.offset !== point.offset))
      slices.push([point]);
    else last.push(point);
  }
  return slices;
}

async function movePosition(tx: Tx, { partition, next, lastSentMs }: Collector): Promise<void> {
  await tx.query({
    name: 'path-position-move',
    text: 'update path_positions set next_offset = $2 where partition = $1',
    values: [partition, next],
  });
  await tx.query({
    name: 'path-mark',
    text: `insert into path_marks (partition, "offset", sent_ms)
           select $1, $2, greatest($3, (select max(sent_ms) from path_marks where partition = $1 and "offset" < $2))
           on conflict (partition, "offset") do nothing`,
    values: [partition, next, lastSentMs],
  });
  await tx.query({
    name: 'path-marks-old',
    // The latest of them stays: what comes behind it may be younger.
    text: `delete from path_marks where partition = $1
             and "offset" < (select max("offset") from path_marks where partition = $1 and sent_ms < $2)`,
    values: [partition, lastSentMs - MARKS_KEPT_MS],
  });
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Where the reading of a partition goes on; it begins at `first`, whose record was sent at `sentMs`. */
export async function openPosition(
  pool: Pool,
  partition: number,
  first: number,
  sentMs: number,
): Promise<number> {
  return withTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query(
      `insert into path_positions (partition, next_offset) values ($1, $2) on conflict do nothing`,
      [partition, first],
    );
    if (rowCount === 1)
      await tx.query(
        `insert into path_marks (partition, "offset", sent_ms) values ($1, $2, $3) on conflict do nothing`,
        [partition, first, sentMs - 1],
      );
    const { rows } = await tx.query<{ next: number }>(
      'select next_offset as next from path_positions where partition = $1',
      [partition],
    );
    return rows[0]!.next;
  });
}

/** Sets a position to where the log begins, or has been made anew: what was before is gone. */
export async function resetPosition(pool: Pool, partition: number, from: number, to: number): Promise<void> {
  await withTransaction(pool, async (tx) => {
    const { rowCount } = await tx.query(
      'update path_positions set next_offset = $3 where partition = $1 and next_offset = $2',
      [partition, from, to],
    );
    if (rowCount !== 1) return;
    await tx.query('delete from path_marks where partition = $1', [partition]);
    await tx.query('insert into path_marks (partition, "offset", sent_ms) values ($1, $2, 0)', [
      partition,
      to,
    ]);
  });
}
