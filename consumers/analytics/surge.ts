import { gridDisk, isValidCell } from 'h3-js';
import type { Pool } from 'pg';
import { writtenFact } from '../../contracts/writtenFact';
import { stepId } from '../../domain/names';
import { surgeFor, surgePolicy, weightOfMinute, type DemandAndSupply } from '../../domain/surge';
import { recordFact } from '../../platform/outbox';
import { withTransaction, type Tx } from '../../platform/postgres';

const MINUTE_MS = 60_000;

/** Cells whose surge changes at once: those where it runs out first, then the greatest changes; the others are next. */
const MOST_CHANGES = 500;

export interface Surge extends DemandAndSupply {
  readonly cell: string;
  readonly multiplier: number;
  /** ISO 8601 UTC. */
  readonly validUntil: string;
}

interface StoredSurge {
  readonly version: number;
  readonly multiplier: number;
  readonly validUntil: string;
}

/**
 * Decides what rides from each cell are multiplied by, and publishes what has changed, or would be over though it goes on
 * being more than 1. A decision is made once, at `atMs` by the clock, and a fact from then on; it is no projection, so a
 * replay decides nothing. One process at a time does it: another one's turn finds nothing to do.
 * @returns what was published
 */
export async function decideSurge(
  pool: Pool,
  { atMs, topicPrefix }: { readonly atMs: number; readonly topicPrefix: string },
): Promise<Surge[]> {
  return withTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ mine: boolean }>(
      `select pg_try_advisory_xact_lock(hashtext('analytics surge')) as mine`,
    );
    if (!rows[0]!.mine) return [];
    const seen = await demandAndSupply(tx, atMs);
    const stored = await storedSurges(tx);
    const changes = [...new Set([...seen.keys(), ...stored.keys()])]
      .flatMap((cell) => change(cell, seen.get(cell), stored.get(cell), atMs) ?? [])
      .sort((a, b) => a.leftMs - b.leftMs || b.by - a.by || (a.surge.cell < b.surge.cell ? -1 : 1))
      .slice(0, MOST_CHANGES);
    for (const { surge, version } of changes) await publish(tx, surge, version, { atMs, topicPrefix });
    return changes.map(({ surge }) => surge);
  });
}

/**
 * Of each cell by now: what happened in it and in those around it, as one walks there or drives from there. A rider counts
 * once, where and when they asked last: who asks again and again is not many.
 */
async function demandAndSupply(tx: Tx, atMs: number): Promise<Map<string, DemandAndSupply>> {
  const from = atMs - surgePolicy.windowMinutes * MINUTE_MS;
  const { rows } = await tx.query<{ cell: string; minute: string; asked: number; freed: number }>({
    name: 'surge-window',
    text: `select cell, minute, sum(asked)::int as asked, sum(freed)::int as freed from (
             select cell, date_trunc('minute', asked_at) as minute, 1 as asked, 0 as freed from askers
             where asked_at >= date_trunc('minute', $1::timestamptz) + interval '1 minute' and asked_at <= $2
             union all
             select cell, minute, 0, freed from demand where minute > $1 and minute <= $2 and freed > 0
           ) as both_sides group by cell, minute`,
    values: [new Date(from).toISOString(), new Date(atMs).toISOString()],
  });
  const around = new Map<string, { demand: number; supply: number }>();
  for (const { cell, minute, asked, freed } of rows) {
    // Facts name any 15 digits: what is no cell is near nothing.
    if (!isValidCell(cell)) continue;
    const weight = weightOfMinute(Math.floor((atMs - Date.parse(minute)) / MINUTE_MS));
    for (const near of gridDisk(cell, 1)) {
      let sum = around.get(near);
      if (sum === undefined) around.set(near, (sum = { demand: 0, supply: 0 }));
      sum.demand += weight * asked;
      sum.supply += weight * freed;
    }
  }
  return around;
}

/** The decisions that a further one may differ from: those that hold, or may. */
async function storedSurges(tx: Tx): Promise<Map<string, StoredSurge>> {
  const { rows } = await tx.query<StoredSurge & { cell: string }>(
    `select cell, version, multiplier, valid_until as "validUntil" from surges`,
  );
  return new Map(rows.map(({ cell, ...stored }) => [cell, stored]));
}

function change(
  cell: string,
  seen: DemandAndSupply = { demand: 0, supply: 0 },
  stored: StoredSurge | undefined,
  atMs: number,
): { surge: Surge; version: number; by: number; leftMs: number } | null {
  const leftMs = stored === undefined ? 0 : Date.parse(stored.validUntil) - atMs;
  const before = stored === undefined || leftMs <= 0 ? 1 : stored.multiplier;
  const multiplier = surgeFor(seen, before);
  const validMs = surgePolicy.validMinutes * MINUTE_MS;
  const isRunningOut = before > 1 && multiplier > 1 && leftMs < validMs / 2;
  if (multiplier === before && !isRunningOut) return null;
  const rounded = (value: number): number => Math.round(value * 100) / 100;
  return {
    surge: {
      ...{ cell, multiplier, demand: rounded(seen.demand), supply: rounded(seen.supply) },
      validUntil: new Date(atMs + validMs).toISOString(),
    },
    version: (stored?.version ?? 0) + 1,
    by: Math.abs(multiplier - before),
    leftMs: isRunningOut ? leftMs : validMs,
  };
}

async function publish(
  tx: Tx,
  surge: Surge,
  version: number,
  { atMs, topicPrefix }: { atMs: number; topicPrefix: string },
): Promise<void> {
  const { cell, multiplier, validUntil } = surge;
  await tx.query({
    name: 'surge-decided',
    text: `insert into surges (cell, version, multiplier, valid_until) values ($1, $2, $3, $4)
           on conflict (cell) do update
             set version = excluded.version, multiplier = excluded.multiplier, valid_until = excluded.valid_until`,
    values: [cell, version, multiplier, validUntil],
  });
  await recordFact(tx, {
    stepId: stepId(cell, 'surge', version),
    aggregateId: cell,
    version,
    source: '/hailway/analytics',
    ...writtenFact({ type: 'surge.changed', at: new Date(atMs).toISOString(), data: surge }, topicPrefix),
  });
}
