import type { TimelineView } from '../../contracts/api/ops';
import type { Queryable } from '../../platform/postgres';

/** More than any ride has; an answer stays bounded whatever is in the store. */
const TIMELINE_LIMIT = 1_000;

type TimelineFact = TimelineView['facts'][number];
type Cause = TimelineView['causes'][number];

/**
 * What happened to a ride and to all that belongs to it (payment, disputes, ratings share its correlation), in the order
 * of the facts' times, and what caused it; nothing for an unknown ride.
 */
export async function readTimeline(db: Queryable, rideId: string): Promise<TimelineView> {
  const { rows } = await db.query<Omit<TimelineFact, 'caller'> & { caller: string | null }>({
    name: 'audit-timeline',
    text: `select fact_id as id, type, time, key, sequence, topic, partition, "offset"::text as "offset",
             causation_id as "causationId", caller, data
           from facts where correlation_id = $1 order by time, topic desc, key, sequence limit $2`,
    values: [rideId, TIMELINE_LIMIT],
  });
  return { rideId, facts: rows.map(({ caller: _, ...fact }) => fact), causes: causesOf(rows) };
}

/**
 * The commands behind facts, in the order of their first facts: a fact's causation is the id of the command's step, or
 * of another fact, which is then the cause itself.
 */
function causesOf(
  facts: readonly (Pick<TimelineFact, 'id' | 'time' | 'causationId'> & { caller: string | null })[],
): Cause[] {
  const known = new Set(facts.map(({ id }) => id));
  const causes = new Map<string, Cause & { facts: string[] }>();
  for (const { id, time, causationId, caller } of facts) {
    const cause = causes.get(causationId);
    if (cause) cause.facts.push(id);
    else {
      const isFact = known.has(causationId);
      const step = isFact ? null : /^(.+)\/([^/]+)\/\d+$/.exec(causationId);
      causes.set(causationId, {
        id: causationId,
        command: step?.[2] ?? null,
        aggregateId: step?.[1] ?? null,
        caller: callerOf(caller),
        at: time,
        fact: isFact ? causationId : null,
        facts: [id],
      });
    }
  }
  return [...causes.values()];
}

function callerOf(caller: string | null): Cause['caller'] {
  const colon = caller?.indexOf(':') ?? -1;
  if (caller === null || colon < 0) return null;
  return { role: caller.slice(0, colon), subject: caller.slice(colon + 1) };
}
