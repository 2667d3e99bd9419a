import { readerOf } from '../../contracts/knownFact';
import type { Handle } from '../../platform/inbox';
import type { Queryable } from '../../platform/postgres';

const read = readerOf('pricing');

/** Keeps what each cell's surge is now: a cell's facts come in their order, so the last one counts. */
export const keepSurges: Handle = async (tx, facts) => {
  const latest = new Map<string, { multiplier: number; validUntil: string }>();
  for (const fact of facts) {
    const known = read(fact);
    if (known?.type === 'surge.changed') latest.set(known.data.cell, known.data);
  }
  const surges = [...latest.values()];
  await tx.query({
    name: 'surges-keep',
    text: `insert into surges (cell, multiplier, valid_until)
           select * from unnest($1::text[], $2::double precision[], $3::timestamptz[]) as s (cell, multiplier, valid_until)
           order by cell
           on conflict (cell) do update set multiplier = excluded.multiplier, valid_until = excluded.valid_until`,
    values: [
      [...latest.keys()],
      surges.map(({ multiplier }) => multiplier),
      surges.map(({ validUntil }) => validUntil),
    ],
  });
};

/**
 * What rides from a cell are multiplied by at `atMs` (milliseconds since 1970): 1 where nobody has said anything, or
 * nothing for so long that it holds no more.
 */
export async function surgeIn(db: Queryable, cell: string, atMs: number): Promise<number> {
  const { rows } = await db.query<{ multiplier: number }>({
    name: 'surge-in',
    text: 'select multiplier from surges where cell = $1 and valid_until > $2',
    values: [cell, new Date(atMs).toISOString()],
  });
  return rows[0]?.multiplier ?? 1;
}
