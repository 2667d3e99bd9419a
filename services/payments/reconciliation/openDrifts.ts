import { driftKey, type Drift } from '../../../domain/reconciliation';
import type { Queryable, Tx } from '../../../platform/postgres';

/** A drift that the last run which could look has seen. */
export interface OpenDrift {
  readonly drift: Drift;
  /** When it was found first, ISO 8601 in UTC. */
  readonly since: string;
}

/** All of them, by their keys: so many at most as one run can tell of. */
export async function openDrifts(db: Queryable): Promise<ReadonlyMap<string, OpenDrift>> {
  const { rows } = await db.query<OpenDrift & { key: string }>(
    'select drift_key as key, drift, since from open_drifts order by since, drift_key',
  );
  return new Map(rows.map(({ key, ...open }) => [key, open]));
}

/** Keeps what was told of these; when each was found first stays. */
export async function keepOpen(tx: Tx, drifts: readonly Drift[], at: string): Promise<void> {
  await tx.query(
    `insert into open_drifts (drift_key, drift, since)
     select key, drift, $3 from unnest($1::text[], $2::jsonb[]) as told (key, drift)
     on conflict (drift_key) do update set drift = excluded.drift`,
    [drifts.map(driftKey), drifts.map((drift) => JSON.stringify(drift)), at],
  );
}

/** These have ended. */
export async function dropOpen(tx: Tx, keys: readonly string[]): Promise<void> {
  await tx.query('delete from open_drifts where drift_key = any ($1)', [keys]);
}
