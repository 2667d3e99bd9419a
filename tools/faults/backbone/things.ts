import type { Fact } from '../../../platform/inbox';
import { inboxMigrations, migrationSet, type Tx } from '../../../platform/postgres';
import type { Projection } from '../../../platform/projection';

/** The consumer does not get over this key's third fact. */
export const poisonedKey = 'poisoned';
export const poisonedSequence = 3;

const isPoison = ({ key, sequence }: Fact): boolean => key === poisonedKey && sequence === poisonedSequence;

/** What the faults' consumer makes of facts. */
export const things: Projection = {
  name: 'things',
  topics: ['things'],
  migrations: [inboxMigrations, migrationSet('things', 'tools/faults/backbone/migrations')],
  tables: [{ name: 'effects', notOfFacts: ['place'] }, { name: 'sums' }],
  handle: (tx, facts) => {
    if (facts.some(isPoison)) throw new Error('this one cannot be applied');
    return applyThings(tx, facts);
  },
};

async function applyThings(tx: Tx, facts: readonly Fact[]): Promise<void> {
  const values = [facts.map(({ key }) => key), facts.map(({ sequence }) => sequence)];
  await tx.query({
    name: 'things-effects',
    text: 'insert into effects (key, sequence) select * from unnest($1::text[], $2::integer[])',
    values,
  });
  await tx.query({
    name: 'things-sums',
    text: `with given as (
             select key, array_agg(sequence order by place) as sequences
             from unnest($1::text[], $2::integer[]) with ordinality as fact (key, sequence, place)
             group by key)
           insert into sums (key, facts, chain)
           select key, cardinality(sequences), chained('', sequences) from given
           on conflict (key) do update set facts = sums.facts + excluded.facts,
             chain = chained(sums.chain, (select sequences from given where given.key = excluded.key))`,
    values,
  });
}
