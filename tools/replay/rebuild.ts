import { applyRecords } from '../../platform/inbox/apply';
import { isRetriable, migrate, createPool, type Pool } from '../../platform/postgres';
import type { Projection } from '../../platform/projection';
import { partitionName, type RawRecord } from '../../platform/kafka';
import type { PartitionFeed } from './feed';
import type { Positions } from './factLog';

/** Where a projection is made anew, beside the live one. */
export const nextSchema = 'replay_next';

/** Records that were sent within so many milliseconds may be applied in either order, as the live consumer does. */
const TOGETHER_MS = 60_000;
const MOST_FACTS = 2_000;

/** Tables of a projection's own, empty, and the connections that find these by their names. */
export async function openRebuild(databaseUrl: string, projection: Projection): Promise<Pool> {
  const pool = createPool(databaseUrl, { applicationName: 'replay', max: 1 });
  await pool.query(`drop schema if exists ${nextSchema} cascade`).finally(() => pool.end());
  await migrate(databaseUrl, projection.migrations, { schema: nextSchema });
  const url = new URL(databaseUrl);
  // What is lost with a crash is made anew anyway: commits need not wait. The switch's own does, and that for all.
  url.searchParams.set('options', `-c search_path=${nextSchema} -c synchronous_commit=off`);
  return createPool(url.href, { applicationName: 'replay', max: 2, statementTimeoutMs: 0 });
}

export interface Rebuild {
  readonly pool: Pool;
  readonly group: string;
  readonly projection: Projection;
  readonly feeds: readonly PartitionFeed[];
}

/**
 * Applies what lies before `targets`, in the order in which it was sent as far as that can matter: a batch that fails is
 * tried again without anything that was sent after the other partitions' next. Nothing is published: what cannot be
 * applied is put aside in the rebuilt inbox alone.
 * @param signal ends it between two batches
 * @returns how many facts were applied; an aborted one is not done
 */
export async function catchUp(rebuild: Rebuild, targets: Positions, signal?: AbortSignal): Promise<number> {
  const ends = rebuild.feeds.map((feed) => ({
    feed,
    end: targets.get(partitionName(feed.topic, feed.partition)) ?? 0,
  }));
  let facts = 0;
  while (!signal?.aborted) {
    const heads = Promise.all(ends.map(async ({ feed, end }) => ({ feed, end, head: await feed.head(end) })));
    const known = await Promise.race([heads, aborted(signal)]);
    const [first, second] = (known ?? [])
      .flatMap(({ head, ...one }) => (head === null ? [] : [{ ...one, sentMs: head.timestamp }]))
      .sort((a, b) => a.sentMs - b.sentMs);
    if (first === undefined) break;
    const { feed, end } = first;
    const others = second?.sentMs ?? Infinity;
    facts += await applyNext(rebuild, feed, end, others);
  }
  return facts;
}

/** Never, without a signal. */
const aborted = (signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));

async function applyNext(
  rebuild: Rebuild,
  feed: PartitionFeed,
  end: number,
  othersMs: number,
): Promise<number> {
  const together = feed.peek(end, othersMs + TOGETHER_MS, MOST_FACTS);
  const alone = feed.peek(end, othersMs, MOST_FACTS);
  const ways: [readonly RawRecord[], boolean][] = [
    [together, false],
    [alone, false],
    [alone, true],
  ];
  for (const [records, apart] of ways) {
    try {
      const { applied } = await apply(rebuild, feed, records, apart);
      feed.drop(records);
      return applied;
    } catch (error) {
      if (isRetriable(error) || apart) throw error;
    }
  }
  throw new Error('impossible: the last way throws');
}

const apply = (
  { pool, group, projection: { handle, skip } }: Rebuild,
  { topic, partition }: PartitionFeed,
  records: readonly RawRecord[],
  apart: boolean,
) =>
  applyRecords({
    ...{ pool, records, handle, skip, apart },
    source: { group, topic, partition },
    endOffset: Number.MAX_SAFE_INTEGER,
    deadLetter: () => Promise.resolve(),
  });
