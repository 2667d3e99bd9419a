import type { TimelineView } from '../../contracts/api/ops';
import type { Fact } from '../../platform/inbox';
import type { Queryable, Tx } from '../../platform/postgres';

/** CloudEvents' attributes by the names of their Kafka headers. */
const headersOf = (fact: Fact): Record<string, string | undefined> => ({
  ce_source: fact.source,
  ce_dataschema: fact.dataschema,
  ce_correlationid: fact.correlationId,
  ce_causationid: fact.causationId,
  traceparent: fact.traceparent,
});

/** Keeps facts with the place they came from; one statement a batch. What is there already stays as it is. */
export async function appendFacts(tx: Tx, facts: readonly Fact[]): Promise<void> {
  if (facts.length === 0) return;
  await tx.query({
    name: 'audit-append',
    text: `insert into facts (topic, key, sequence, fact_id, type, time, partition, "offset", headers, data)
           select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[],
             $7::int[], $8::bigint[], $9::json[], $10::json[])
           on conflict (topic, key, sequence) do nothing`,
    values: [
      facts.map(({ topic }) => topic),
      facts.map(({ key }) => key),
      facts.map(({ sequence }) => sequence),
      facts.map(({ id }) => id),
      facts.map(({ type }) => type),
      facts.map(({ time }) => time),
      facts.map(({ partition }) => partition),
      facts.map(({ offset }) => offset),
      facts.map((fact) => JSON.stringify(headersOf(fact))),
      facts.map(({ data }) => JSON.stringify(data)),
    ],
  });
}

/** More than any ride has; an answer stays bounded whatever is in the store. */
const TIMELINE_LIMIT = 1_000;

/**
 * What happened to a ride and its payment, in the order of the facts' times; nothing for an unknown ride.
 * @param topics names of the topics of rides and payments
 */
export async function readTimeline(
  db: Queryable,
  topics: readonly string[],
  rideId: string,
): Promise<TimelineView> {
  const { rows } = await db.query<TimelineView['facts'][number]>({
    name: 'audit-timeline',
    text: `select fact_id as id, type, time, sequence, topic, partition, "offset"::text as "offset",
             headers ->> 'ce_causationid' as "causationId", data
           from facts where key = $1 and topic = any ($2) order by time, topic desc, sequence limit $3`,
    values: [rideId, topics, TIMELINE_LIMIT],
  });
  return { rideId, facts: rows };
}
