import { parseFact, type Fact } from '../../../../platform/inbox';
import { lockPosition, movePosition, readKeys } from '../../../../platform/inbox/store';
import { createKafka, runConsumer, type ConsumedBatch } from '../../../../platform/kafka';
import { createPool, withTransaction, type Pool, type Tx } from '../../../../platform/postgres';
import { log, type Site } from '../site';
import { things } from '../things';

type OnBatch = (batch: ConsumedBatch, apply: Apply) => Promise<void>;
/** One transaction: the effects of those facts that `choose` leaves, and how far it is. */
type Apply = (batch: ConsumedBatch, choose: Choose) => Promise<void>;
type Choose = (tx: Tx, facts: Fact[]) => Fact[] | Promise<Fact[]>;

async function consume(site: Site, onBatch: OnBatch): Promise<void> {
  const { databaseUrl, brokers, topic, group } = site;
  const pool: Pool = createPool(databaseUrl, { applicationName: 'consumer', max: 6 });
  const apply: Apply = ({ records, partition }, choose) =>
    withTransaction(pool, async (tx) => {
      const place = { group, topic, partition };
      await lockPosition(tx, place);
      const facts = await choose(tx, records.map(parseFact));
      if (facts.length > 0) await things.handle(tx, facts);
      const sequences = new Map(facts.map(({ key, sequence }) => [key, sequence]));
      const nextOffset = records.at(-1)!.offset + 1;
      await movePosition(tx, place, { nextOffset, facts: facts.length, sequences });
    });
  await runConsumer({
    kafka: createKafka({ brokers: [...brokers], clientId: 'consumer' }),
    ...{ group, topics: [topic], log, signal: new AbortController().signal },
    onBatch: (batch) => onBatch(batch, apply),
  });
}

const behind = ({ records }: ConsumedBatch): number => records.at(-1)!.offset + 1;

/** Those above what their keys have come to. */
const newOnes =
  ({ group, topic }: Site): Choose =>
  async (tx, facts) => {
    const keys = [...new Set(facts.map(({ key }) => key))];
    const { sequences } = await readKeys(tx, { group, topic, partition: 0 }, keys, { first: 0, last: -1 });
    return facts.filter(({ key, sequence }) => sequence > (sequences.get(key) ?? 0));
  };

/** Tells Kafka before the effects are committed: what dies between has no effect. */
export const consumeOffsetFirst = (site: Site): Promise<void> =>
  consume(site, async (batch, apply) => {
    await batch.commit(behind(batch));
    await apply(batch, newOnes(site));
  });

/** Takes each fact that comes for a new one. */
export const consumeRepeats = (site: Site): Promise<void> =>
  consume(site, async (batch, apply) => {
    await apply(batch, (_tx, facts) => facts);
    await batch.commit(behind(batch));
  });

/** So many later records of its partition come before a batch is tried again. */
const RETRY_BEHIND = 20;

/** Puts a batch that fails aside for later and goes on: each effect happens once, and those behind it first. */
export function consumeWithoutOrder(site: Site): Promise<void> {
  const aside = new Map<ConsumedBatch, number>();
  return consume(site, async (batch, apply) => {
    const attempt = (one: ConsumedBatch): Promise<unknown> =>
      apply(one, onlyOnce).catch(() => aside.set(one, RETRY_BEHIND));
    const before = [...aside].filter(([{ partition }]) => partition === batch.partition);
    await attempt(batch);
    for (const [one, left] of before) {
      aside.set(one, left - batch.records.length);
      if (left > batch.records.length) continue;
      aside.delete(one);
      await attempt(one);
    }
    await batch.commit(behind(batch));
  });
}

const onlyOnce: Choose = async (tx, facts) => {
  const { rows } = await tx.query<{ id: string }>(
    `select key || '/' || sequence as id from effects
     where (key, sequence) in (select * from unnest($1::text[], $2::integer[]))`,
    [facts.map(({ key }) => key), facts.map(({ sequence }) => sequence)],
  );
  const had = new Set(rows.map(({ id }) => id));
  return facts.filter(({ key, sequence }) => !had.has(`${key}/${sequence}`));
};
