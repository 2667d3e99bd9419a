import { createHash } from 'node:crypto';
import type { Dispute, DisputeStatus } from '../../../domain/dispute';
import type { Queryable, Tx } from '../../../platform/postgres';

/** A dispute as committed, or null; its id is the provider's. */
export async function getDispute(db: Queryable, disputeId: string): Promise<Dispute | null> {
  const { rows } = await db.query<{ state: Dispute }>({
    name: 'dispute-get',
    text: 'select state from disputes where dispute_id = $1',
    values: [disputeId],
  });
  return rows[0]?.state ?? null;
}

/** The dispute as committed, its row locked until the transaction ends. */
export async function lockDispute(tx: Tx, disputeId: string): Promise<Dispute | null> {
  const { rows } = await tx.query<{ state: Dispute }>({
    name: 'dispute-lock',
    text: 'select state from disputes where dispute_id = $1 for update',
    values: [disputeId],
  });
  return rows[0]?.state ?? null;
}

/**
 * Writes the dispute's new state over the version before it.
 * @throws Error where the version is another one: the caller holds the row's lock, so that cannot be
 */
export async function putDispute(tx: Tx, dispute: Dispute): Promise<void> {
  const { rowCount } = await tx.query({
    name: 'dispute-put',
    text: `insert into disputes (dispute_id, ride_id, version, state) values ($1, $2, $3, $4)
           on conflict (dispute_id) do update set version = excluded.version, state = excluded.state
           where disputes.version = excluded.version - 1`,
    values: [dispute.disputeId, dispute.rideId, dispute.version, JSON.stringify(dispute)],
  });
  if (rowCount !== 1)
    throw new Error(`impossible: dispute ${dispute.disputeId} was not at version ${dispute.version - 1}`);
}

/** Disputes in any of these states, those first whose evidence is due the soonest. */
export async function listDisputes(
  db: Queryable,
  { statuses, limit }: { readonly statuses: readonly DisputeStatus[]; readonly limit: number },
): Promise<Dispute[]> {
  const { rows } = await db.query<{ state: Dispute }>(
    `select state from disputes where status = any ($1)
     order by state ->> 'evidenceDueAt', dispute_id limit $2`,
    [statuses, limit],
  );
  return rows.map(({ state }) => state);
}

/** The same words on a dispute are the same evidence. */
export const evidenceIdOf = (disputeId: string, text: string): string =>
  createHash('sha256').update(`${disputeId}\n${text}`).digest('hex');

/** Keeps what an operator wrote for the bank. */
export async function storeEvidence(
  db: Queryable,
  { disputeId, evidenceId, text }: { disputeId: string; evidenceId: string; text: string },
): Promise<void> {
  await db.query(
    `insert into dispute_evidence (dispute_id, evidence_id, text) values ($1, $2, $3)
     on conflict (dispute_id, evidence_id) do nothing`,
    [disputeId, evidenceId, text],
  );
}

/** What is to be said, or null where nothing was stored under this id. */
export async function evidenceText(
  db: Queryable,
  disputeId: string,
  evidenceId: string,
): Promise<string | null> {
  const { rows } = await db.query<{ text: string }>(
    'select text from dispute_evidence where dispute_id = $1 and evidence_id = $2',
    [disputeId, evidenceId],
  );
  return rows[0]?.text ?? null;
}

/** The payment that an intent at the provider was made for, or null where it is none of ours. */
export async function paymentOfIntent(db: Queryable, intentId: string): Promise<string | null> {
  const { rows } = await db.query<{ paymentId: string }>({
    name: 'payment-of-intent',
    text: 'select payment_id as "paymentId" from provider_intents where intent_id = $1',
    values: [intentId],
  });
  return rows[0]?.paymentId ?? null;
}
