import type { Queryable } from '../../platform/postgres';
import { chainBegin, factHash, type StoredFact } from './chain';

/** What is wrong with a chain, at the first place where it is: everything behind it follows on what is not there. */
export interface Break {
  readonly topic: string;
  readonly partition: number;
  readonly place: number;
  /** The fact that is at this place; null where there is none. */
  readonly factId: string | null;
  readonly reason: 'changed' | 'missing' | 'added';
}

export interface Verified {
  readonly chains: number;
  readonly facts: number;
  readonly breaks: readonly Break[];
  /** The end of each chain: whoever keeps these elsewhere can tell later that nothing up to there was changed. */
  readonly ends: readonly ChainEnd[];
}

export interface ChainEnd {
  readonly topic: string;
  readonly partition: number;
  readonly place: number;
  /** Hexadecimal. */
  readonly hash: string;
}

/** Facts that are in memory at once. */
const PAGE = 500;

const columns = `topic, partition, place, "offset", key, sequence, fact_id as "factId", type,
  (extract(epoch from time) * 1000)::bigint as "timeMs", (extract(epoch from sent_at) * 1000)::bigint as "sentMs",
  (extract(epoch from recorded_at) * 1000)::bigint as "recordedMs", correlation_id as "correlationId",
  causation_id as "causationId", caller, headers::text as headers, data::text as data, hash`;

/**
 * Computes every chain anew from what is stored, up to where each ends at the call, and names the first place of each
 * that differs. Facts may come meanwhile. Memory holds one page of facts, whatever the store holds.
 */
export async function verifyChains(db: Queryable): Promise<Verified> {
  const { rows: ends } = await db.query<ChainEnd>(
    `select topic, partition, place, encode(hash, 'hex') as hash from fact_chains order by topic, partition`,
  );
  let facts = 0;
  const breaks: Break[] = [];
  for (const end of ends) {
    const { verified, broken } = await verifyChain(db, end);
    facts += verified;
    if (broken) breaks.push(broken);
  }
  return { chains: ends.length, facts, breaks: [...breaks, ...(await withoutChain(db))], ends };
}

async function verifyChain(
  db: Queryable,
  { topic, partition, place: last, hash }: ChainEnd,
): Promise<{ verified: number; broken?: Break }> {
  let previous = chainBegin;
  let place = 0;
  const at = (factId: string | null, reason: Break['reason'], where = place + 1) => ({
    verified: place,
    broken: { topic, partition, place: where, factId, reason },
  });
  while (place < last) {
    const { rows } = await db.query<StoredFact & { hash: Buffer }>({
      name: 'audit-verify',
      text: `select ${columns} from facts where topic = $1 and partition = $2 and place > $3 and place <= $4
             order by place limit $5`,
      values: [topic, partition, place, last, PAGE],
    });
    if (rows.length === 0) return at(null, 'missing');
    for (const { hash: stored, ...fact } of rows) {
      if (fact.place > place + 1) return at(null, 'missing');
      if (fact.place < place + 1) return at(fact.factId, 'added', fact.place);
      const computed = factHash(previous, fact);
      if (!computed.equals(stored)) return at(fact.factId, 'changed');
      previous = computed;
      place = fact.place;
    }
  }
  // The last fact may have been changed with its hash: the chain's end says so.
  return previous.toString('hex') === hash ? { verified: place } : at(null, 'changed', last);
}

/** Facts that no chain ends behind: they came in without it. */
async function withoutChain(db: Queryable): Promise<Break[]> {
  const { rows } = await db.query<Omit<Break, 'reason'>>(
    `select distinct on (topic, partition) topic, partition, place, fact_id as "factId"
     from facts where not exists (
       select from fact_chains chain
       where chain.topic = facts.topic and chain.partition = facts.partition and facts.place <= chain.place)
     order by topic, partition, place`,
  );
  return rows.map((row) => ({ ...row, reason: 'added' }));
}
