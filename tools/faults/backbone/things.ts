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

/** Each key's chain is the hash of the one before and the fact. */
async function applyThings(tx: Tx, facts: readonly Fact[]): Promise<void> {
  await tx.query({
    name: 'things-effects',
    text: 'insert into effects (key, sequence) select * from unnest($1::text[], $2::integer[])',
    values: [facts.map(({ key }) => key), facts.map(({ sequence }) => sequence)],
  });
  for (const { key, sequence } of facts)
    await tx.query({
      name: 'things-sums',
      text: `insert into sums (key, facts, chain) values ($1, 1, md5('/' || $2))
             on conflict (key) do update set facts = sums.facts + 1, chain = md5(sums.chain || '/' || $2)`,
      values: [key, String(sequence)],
    });
}
