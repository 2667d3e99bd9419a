import { ApplicationFailure } from '@temporalio/activity';
import type { Pool } from 'pg';
import { FactInvalid } from '../contracts/knownFact';
import { sealedFact } from '../contracts/personal';
import { writtenFact } from '../contracts/writtenFact';
import { DomainError } from '../domain/errors';
import type { Recorded, Step } from '../domain/sagas';
import { FactTooLarge, factId, findStep, recordFact, stepsOf } from '../platform/outbox';
import type { Vault } from '../platform/personal';
import type { Tx } from '../platform/postgres';
import { withTransaction } from '../platform/postgres';

interface Versioned {
  readonly version: number;
}

interface Fact {
  readonly type: string;
  readonly at: string;
  readonly data: object;
}

/**
 * How an aggregate is read, folded and written. `save` also does what has to change with it, in the same transaction.
 */
export interface Aggregate<State extends Versioned, F extends Fact> {
  /** The committed state, its row locked until the transaction ends. */
  lock(tx: Tx, aggregateId: string): Promise<State | null>;
  fold(state: State | null, fact: F): State;
  save(tx: Tx, change: { before: State | null; after: State; fact: F; stepId: string }): Promise<void>;
}

export interface RecordTransitionOptions<State extends Versioned, F extends Fact> {
  readonly pool: Pool;
  readonly aggregate: Aggregate<State, F>;
  /** CloudEvents' source: `/hailway/rides`. */
  readonly source: string;
  /** What the aggregate belongs to; itself unless told otherwise. */
  readonly belongsTo?: (state: State) => string;
  /** Seals what is personal in a fact when it leaves. */
  readonly vault: Vault;
  /** Whom its facts mean by a name that their data does not say: `{ riderId }`. */
  readonly subjects?: (state: State) => Readonly<Record<string, unknown>>;
  /** Put before the name of every topic; empty in most houses. */
  readonly topicPrefix?: string;
}

/**
 * The one activity by which a workflow changes state and emits a fact: step id, state, version and fact in one
 * transaction. A step that was committed before answers what is committed; a version that another step has taken
 * answers `applied: false` with what is committed, and the workflow decides anew. Safe to repeat at any time.
 * @throws ApplicationFailure, not retryable, with the code of a DomainError or `fact_too_large`
 */
export function createRecordTransition<State extends Versioned, F extends Fact>(
  options: RecordTransitionOptions<State, F>,
): (step: Step<F>) => Promise<Recorded<State>> {
  return async (step) => {
    try {
      const { pool, vault } = options;
      return await vault.withKeys(() => withTransaction(pool, (tx) => recordTransition(tx, step, options)));
    } catch (error) {
      throw asFailure(error);
    }
  };
}

async function recordTransition<State extends Versioned, F extends Fact>(
  tx: Tx,
  { stepId, aggregateId, expectedVersion, fact }: Step<F>,
  { aggregate, source, belongsTo, vault, subjects, topicPrefix = '' }: RecordTransitionOptions<State, F>,
): Promise<Recorded<State>> {
  const before = await aggregate.lock(tx, aggregateId);
  if ((before?.version ?? 0) !== expectedVersion) {
    if (before === null) throw new Error(`impossible: ${aggregateId} has lost its row`);
    if ((await findStep(tx, stepId)) !== null) return { applied: true, state: before };
    const taken = await stepsOf(tx, aggregateId, { afterVersion: expectedVersion });
    return { applied: false, state: before, takenBy: taken.map((step) => step.stepId) };
  }
  const written = valid(fact, topicPrefix);
  const after = aggregate.fold(before, fact);
  await aggregate.save(tx, { before, after, fact, stepId });
  const { version } = after;
  const { type, data } = fact;
  const leaving = { id: factId(type, aggregateId, version), type, data };
  await recordFact(tx, {
    stepId,
    aggregateId,
    version,
    ...written,
    ...sealedFact(vault.seal, leaving, subjects?.(after)),
    source,
    ...(belongsTo === undefined ? {} : { correlationId: belongsTo(after) }),
  });
  return { applied: true, state: after };
}

/** @throws DomainError `argument_not_valid` for a fact that its schema would not have: no use in trying again */
function valid(fact: Fact, topicPrefix: string): ReturnType<typeof writtenFact> {
  try {
    return writtenFact(fact, topicPrefix);
  } catch (error) {
    throw error instanceof FactInvalid ? new DomainError('argument_not_valid', error.message) : error;
  }
}

/** A refusal of the domain is final, and a fact is as large as it is; everything else may succeed later. */
function asFailure(error: unknown): unknown {
  return error instanceof DomainError || error instanceof FactTooLarge
    ? ApplicationFailure.nonRetryable(error.message, error.code, error.details)
    : error;
}
