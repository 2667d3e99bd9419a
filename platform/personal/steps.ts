import type { Tx } from '../postgres';

/** A fact as its step has it. */
export interface StoredFact {
  readonly type: string;
  readonly at: string;
  readonly data: object;
}

/**
 * Changes what the steps of some aggregates say, where `data` answers something else than they said: for an erasure, the
 * only thing that may. Their rows have to be locked.
 * @returns all facts of each as they are now, in order
 */
export async function rewriteFacts(
  tx: Tx,
  aggregateIds: readonly string[],
  data: (fact: StoredFact, aggregateId: string) => object,
): Promise<Map<string, StoredFact[]>> {
  const { rows } = await tx.query<{ stepId: string; aggregateId: string; fact: StoredFact }>(
    `select step_id as "stepId", aggregate_id as "aggregateId", fact from steps
     where aggregate_id = any ($1) order by aggregate_id, version`,
    [aggregateIds],
  );
  const facts = new Map<string, StoredFact[]>();
  const changed: { stepId: string; fact: StoredFact }[] = [];
  for (const { stepId, aggregateId, fact } of rows) {
    const now = { ...fact, data: data(fact, aggregateId) };
    if (JSON.stringify(now.data) !== JSON.stringify(fact.data)) changed.push({ stepId, fact: now });
    facts.set(aggregateId, [...(facts.get(aggregateId) ?? []), now]);
  }
  if (changed.length > 0)
    await tx.query(
      `update steps set fact = now.fact from unnest($1::text[], $2::jsonb[]) as now (step_id, fact)
       where steps.step_id = now.step_id`,
      [changed.map(({ stepId }) => stepId), changed.map(({ fact }) => JSON.stringify(fact))],
    );
  return facts;
}
