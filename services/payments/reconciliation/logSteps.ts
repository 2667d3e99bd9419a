import type { Queryable } from '../../../platform/postgres';
import type { RecordedStep } from './pages';

/** A fact as it was committed. */
export interface CommittedFact {
  readonly key: string;
  readonly sequence: number;
  readonly fact: RecordedStep['fact'];
  /** The number of its transaction; null where it is from before there were any. */
  readonly xid: string | null;
  readonly ageMs: number;
  /** The relay says that it has sent it. */
  readonly sent: boolean;
}

const PAGE = 500;

/**
 * Whether the relay has nothing to send of a step's fact, as SQL over `steps`: its lane's position is behind it, or in
 * front of it with nothing between, as the position of a lane stays where its last fact was.
 */
const sentByRelay = `exists (
    select from relay_lanes where lane = outbox_lane(aggregate_id) and (
      pg_visible_in_snapshot(steps.xid, from_snapshot) or not exists (
        select from outbox o where o.lane = relay_lanes.lane and o.key = aggregate_id
          and o.xid >= pg_snapshot_xmin(from_snapshot) and not pg_visible_in_snapshot(o.xid, from_snapshot))))`;

const columns = `aggregate_id as key, version as sequence, fact, xid::text,
  (extract(epoch from now() - recorded_at) * 1000)::bigint as "ageMs",
  ${sentByRelay} as sent`;

/** What was committed under these keys and versions. */
export async function committedAs(
  db: Queryable,
  places: readonly { readonly key: string; readonly sequence: number }[],
): Promise<CommittedFact[]> {
  const { rows } = await db.query<CommittedFact>(
    `select ${columns} from steps
     where (aggregate_id, version) in (select * from unnest($1::text[], $2::integer[]))`,
    [places.map(({ key }) => key), places.map(({ sequence }) => sequence)],
  );
  return rows;
}

/** Every fact of a transaction from this one on, page by page. */
export async function* committedSince(db: Queryable, xid: string): AsyncGenerator<CommittedFact[]> {
  let after: { xid: string | null; stepId: string } = { xid, stepId: '' };
  for (;;) {
    const { rows }: { rows: (CommittedFact & { stepId: string })[] } = await db.query(
      `select ${columns}, step_id as "stepId" from steps where (xid, step_id) > ($1::xid8, $2)
       order by steps.xid, step_id limit ${PAGE}`,
      [after.xid, after.stepId],
    );
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE) return;
    after = rows.at(-1)!;
  }
}

/** The last version of each key that a transaction below this one has committed. */
export async function versionsBelow(
  db: Queryable,
  keys: readonly string[],
  xid: string,
): Promise<Map<string, number>> {
  const { rows } = await db.query<{ key: string; version: number }>(
    `select aggregate_id as key, max(version) as version from steps
     where aggregate_id = any ($1) and (xid is null or xid < $2::xid8) group by aggregate_id`,
    [keys, xid],
  );
  return new Map(rows.map(({ key, version }) => [key, version]));
}

/** Why keys are parked, of those that are. */
export async function parkedKeys(
  db: Queryable,
  topic: string,
  keys: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await db.query<{ key: string; reason: string }>(
    'select key, reason from parked_keys where topic = $1 and key = any ($2)',
    [topic, keys],
  );
  return new Map(rows.map(({ key, reason }) => [key, reason]));
}
