import { CodedError } from './errors';
import { mostRecordBytes, recordSize } from './kafka/recordSize';
import { afterCommit, type Queryable, type Tx } from './postgres';
import { tellRelay } from './relay/tell';
import { currentCaller, currentTraceparent, SpanKind, withSpan } from './telemetry';

export type JsonObject = Readonly<Record<string, unknown>>;

/** A fact as its owner states it. `id`, `type` and `sequence` together name it for ever. */
export interface FactToAppend {
  /** Kafka topic, with its prefix if there is one. */
  readonly topic: string;
  /** The aggregate's id: facts of one key keep their order. */
  readonly key: string;
  /** `ride.requested`. */
  readonly type: string;
  /** Version of the fact's schema (1). */
  readonly schemaVersion?: number;
  /** The aggregate's id, also CloudEvents' subject. */
  readonly id: string;
  /** The aggregate's version that this fact made: 1, 2, 3, … for a key, without gaps. */
  readonly sequence: number;
  /** When it happened for the domain, ISO 8601 UTC. */
  readonly time: string;
  /** `/hailway/rides`. */
  readonly source: string;
  readonly data: JsonObject;
  readonly correlationId: string;
  /** The id of the command or fact that caused this one. */
  readonly causationId: string;
}

/** CloudEvents' id of a fact: the same wherever and however often it is sent. */
export function factId(type: string, id: string, sequence: number): string {
  return `${type}/${id}/${sequence}`;
}

/** No topic of facts takes it, so it cannot be committed: nobody could relay it, or what its key says after it. */
export class FactTooLarge extends CodedError {
  override readonly name = 'FactTooLarge';
  readonly retriable = false;

  constructor(ceId: string, bytes: number) {
    super('fact_too_large', `${ceId} has ${bytes} bytes with its headers, ${mostRecordBytes} at most`, {
      ...{ bytes, most: mostRecordBytes },
    });
  }
}

/**
 * Puts a fact into the outbox, inside the transaction that changes the state it tells of: both are committed or
 * neither is. Call it after that change, as the aggregate's row lock is what keeps its facts in order. The trace that is
 * under way goes along as W3C's `traceparent`.
 * @throws FactTooLarge, before anything is written
 */
export async function appendFact(tx: Tx, fact: FactToAppend): Promise<void> {
  if (!Number.isSafeInteger(fact.sequence) || fact.sequence < 1) {
    throw new RangeError(`a fact's sequence starts at 1, not ${fact.sequence}`);
  }
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: factId(fact.type, fact.id, fact.sequence),
    ce_source: fact.source,
    ce_type: fact.type,
    ce_dataschema: `${fact.type}.v${fact.schemaVersion ?? 1}`,
    ce_time: fact.time,
    ce_subject: fact.id,
    ce_sequence: String(fact.sequence),
    ce_correlationid: fact.correlationId,
    ce_causationid: fact.causationId,
  };
  const caller = currentCaller();
  if (caller !== undefined) headers['ce_caller'] = caller;
  const attributes = {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'create',
    'messaging.operation.type': 'create',
    'messaging.destination.name': fact.topic,
    'messaging.message.type': fact.type,
  };
  await withSpan({ name: `create ${fact.topic}`, kind: SpanKind.PRODUCER, attributes }, async () => {
    const traceparent = currentTraceparent();
    if (traceparent !== undefined) headers['traceparent'] = traceparent;
    const value = JSON.stringify(fact.data);
    const bytes = recordSize({ key: fact.key, headers, value });
    if (bytes > mostRecordBytes) throw new FactTooLarge(headers['ce_id']!, bytes);
    await tx.query({
      name: 'outbox-append',
      text: 'insert into outbox (topic, key, headers, value) values ($1, $2, $3, $4)',
      values: [fact.topic, fact.key, JSON.stringify(headers), value],
    });
  });
  afterCommit(tx, tellRelay);
}

/** A committed step of an aggregate: the fact it made and what it answered. */
export interface Step<Fact = JsonObject, Result = unknown> {
  readonly stepId: string;
  readonly aggregateId: string;
  /** The aggregate's version after this step. */
  readonly version: number;
  readonly factType: string;
  readonly fact: Fact;
  readonly result: Result;
  /** ISO 8601 UTC. */
  readonly recordedAt: string;
}

const stepColumns = `step_id as "stepId", aggregate_id as "aggregateId", version, fact_type as "factType", fact, result,
  recorded_at as "recordedAt"`;

/** What a step with this id committed, or null when it has not: asked first, so that a retry changes nothing. */
export async function findStep<Fact = JsonObject, Result = unknown>(
  db: Queryable,
  stepId: string,
): Promise<Step<Fact, Result> | null> {
  const { rows } = await db.query<Step<Fact, Result>>({
    name: 'steps-find',
    text: `select ${stepColumns} from steps where step_id = $1`,
    values: [stepId],
  });
  return rows[0] ?? null;
}

/**
 * Remembers a step, in the transaction of its change.
 * @throws unique violation (`isUniqueViolation`): `steps_pkey` when the step was committed meanwhile,
 *   `steps_aggregate_version` when another step took the version.
 */
export async function recordStep(tx: Tx, step: Omit<Step, 'recordedAt'>): Promise<void> {
  await tx.query({
    name: 'steps-record',
    text: `insert into steps (step_id, aggregate_id, version, fact_type, fact, result) values ($1, $2, $3, $4, $5, $6)`,
    values: [
      step.stepId,
      step.aggregateId,
      step.version,
      step.factType,
      JSON.stringify(step.fact),
      JSON.stringify(step.result ?? null),
    ],
  });
}

/** An aggregate's steps above `afterVersion` (0) in order: what is folded, and what an event stream reads on. */
export async function stepsOf<Fact = JsonObject, Result = unknown>(
  db: Queryable,
  aggregateId: string,
  { afterVersion = 0, limit = 1000 }: { afterVersion?: number; limit?: number } = {},
): Promise<Step<Fact, Result>[]> {
  const { rows } = await db.query<Step<Fact, Result>>({
    name: 'steps-of',
    text: `select ${stepColumns} from steps where aggregate_id = $1 and version > $2 order by version limit $3`,
    values: [aggregateId, afterVersion, limit],
  });
  return rows;
}

/**
 * The aggregates with steps that were committed since `snapshot`, an earlier answer of this function; with null only
 * where to go on from. Nothing is missed, however late a transaction commits: what counts is what became visible
 * between the two snapshots. `ids` is null where more than `limit` steps came: all may have changed.
 */
export async function changedSince(
  db: Queryable,
  snapshot: string | null,
  limit: number,
): Promise<{ snapshot: string; ids: string[] | null }> {
  // Not visible in `snapshot`: begun since (at or above its xmax), or under way when it was taken (its xip list).
  const [, xmax, xip = ''] = snapshot?.split(':') ?? [];
  const { rows } = await db.query<{ snapshot: string; ids: string[] | null }>({
    name: 'steps-changed',
    text: `select pg_current_snapshot()::text as snapshot, (
             select array_agg(aggregate_id) from (
               (select aggregate_id from steps where xid >= $1::xid8 order by xid limit $3)
               union all
               (select aggregate_id from steps where xid = any ($2::xid8[]) order by xid limit $3)
             ) as changed
           ) as ids`,
    values: [xmax ?? null, xip === '' ? [] : xip.split(','), limit + 1],
  });
  const { snapshot: now, ids } = rows[0]!;
  return { snapshot: now, ids: (ids?.length ?? 0) > limit ? null : (ids ?? []) };
}

/** A fact with the step that made it, as its owner commits it. */
export interface FactToRecord {
  readonly stepId: string;
  readonly aggregateId: string;
  /** The aggregate's version after it. */
  readonly version: number;
  /** `at` is ISO 8601 UTC. */
  readonly fact: { readonly type: string; readonly at: string; readonly data: object };
  /** What leaves of the fact's data, where that is not the data as it is: what is personal leaves sealed. */
  readonly sent?: object;
  /** Kafka topic, with its prefix if there is one, and the version of the fact's schema. */
  readonly topic: string;
  readonly schemaVersion: number;
  /** `/hailway/rides`. */
  readonly source: string;
  /** The aggregate's own id unless it belongs to something larger. */
  readonly correlationId?: string;
}

/**
 * Commits what happened, in the transaction that changes the state it tells of: the step, which is remembered for ever,
 * and the fact, which leaves through the outbox.
 * @throws unique violation, as `recordStep`; FactTooLarge
 */
export async function recordFact(tx: Tx, record: FactToRecord): Promise<void> {
  const { stepId, aggregateId, version, fact, topic, schemaVersion, source } = record;
  const { type, at, data } = fact;
  await recordStep(tx, {
    stepId,
    aggregateId,
    version,
    factType: type,
    fact: { type, at, data },
    result: null,
  });
  await appendFact(tx, {
    topic,
    key: aggregateId,
    type,
    schemaVersion,
    id: aggregateId,
    sequence: version,
    time: at,
    source,
    data: { ...(record.sent ?? data) },
    correlationId: record.correlationId ?? aggregateId,
    causationId: stepId,
  });
}
