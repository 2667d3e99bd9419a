import { isDeepStrictEqual } from 'node:util';
import { withoutPersonal } from '../../../contracts/personal';
import type { Drift } from '../../../domain/reconciliation';
import { factId } from '../../../platform/outbox';
import type { CommittedFact } from './logSteps';

/** A fact as it lies on the log. */
export interface LoggedFact {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly sequence: number;
  readonly id: string;
  readonly value: string;
}

const relayAction = 'look at the relay: its log, its parked keys; consumers have to read the key again';

/** Whether a record is what was committed in its place, and came in its turn. */
export function judgeLogged(
  { key, id, value }: LoggedFact,
  committed: CommittedFact | undefined,
  isLate: boolean,
): Drift[] {
  // Not `rideId`: it may be a payout’s or a run’s.
  const ids = { key, factId: id };
  const late: Drift[] = isLate
    ? [
        {
          ...{ kind: 'facts_out_of_order', ids, action: relayAction },
          says: 'a later fact of its key lies before it on the log',
        },
      ]
    : [];
  if (committed === undefined || factId(committed.fact.type, key, committed.sequence) !== id) {
    const says = 'a fact on the log that the database has not';
    const cause = 'the database was set back, or somebody else writes to the topic';
    const action = 'consumers have acted on it: find out what really happened, at the provider';
    return [...late, { kind: 'fact_unfounded_on_log', ids, says, cause, action }];
  }
  // What is personal leaves sealed, and may be erased here by now.
  const said = (data: object): unknown => withoutPersonal(committed.fact.type, data);
  if (isDeepStrictEqual(said(JSON.parse(value) as object), said(committed.fact.data))) return late;
  const says = 'the fact on the log says something else than the database';
  const action = 'compare both with a backup, and with the provider';
  return [...late, { kind: 'fact_differs_on_log', ids, says, action }];
}

/** @param parkedFor why its key is parked, where it is */
export function missingFact(
  { key, sequence, fact, sent, ageMs }: CommittedFact,
  parkedFor: string | undefined,
): Drift {
  const behind = `the relay has not come to it for ${Math.round(ageMs / 1_000)} s: it is down, or behind`;
  const cause = sent ? 'the relay has sent it: the log has lost it' : behind;
  return {
    kind: 'fact_missing_on_log',
    ids: { key, factId: factId(fact.type, key, sequence) },
    says: 'a committed fact is not on the log',
    cause: parkedFor === undefined ? cause : `its key is parked: ${parkedFor}`,
    action: parkedFor === undefined && !sent ? 'start the relay: it sends what waits by itself' : relayAction,
  };
}
