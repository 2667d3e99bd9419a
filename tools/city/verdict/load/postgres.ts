import { factEntry } from '../../../../contracts/catalogue';
import { hasEnded, type Ride } from '../../../../domain/ride';
import { settledPaymentStatuses, type Payment } from '../../../../domain/payment';
import { factId } from '../../../../platform/outbox';
import type { Pool } from '../../../../platform/postgres';
import type { VerdictDatabase } from '../../options';
import type { Evidence, LedgerLine, RecordedFact } from '../evidence';

export type Pools = Readonly<Record<VerdictDatabase, Pool>>;

/** The databases of services, which record facts, and of consumers, which apply them. */
export const owners = ['rides', 'payments', 'pricing', 'analytics', 'tracks'] as const;
export const appliers = ['analytics', 'audit', 'notifications', 'pricing', 'tracks'] as const;

type FromPostgres = Pick<
  Evidence,
  | ('rides' | 'claims' | 'payments' | 'facts' | 'ledger' | 'parked')
  | ('audited' | 'analytics' | 'notified' | 'ways')
>;

/** Everything in Postgres that the verdict is about. @throws Postgres's errors */
export async function loadPostgres(pools: Pools, topicPrefix: string): Promise<FromPostgres> {
  const [rides, payments, facts, ledger, parked] = await Promise.all([
    rows<{ state: Ride }>(pools.rides, 'select state from rides'),
    rows<{ state: Payment }>(pools.payments, 'select state from payments'),
    loadFacts(pools, topicPrefix),
    rows<LedgerLine>(
      pools.payments,
      `select transaction_id as "transactionId", kind, payment_id as "rideId", account, currency, amount_minor as "amountMinor"
       from ledger_entries join ledger_transactions using (transaction_id)`,
    ),
    loadParked(pools),
  ]);
  return {
    rides: rides.map(({ state }) => state),
    payments: payments.map(({ state }) => state),
    facts,
    ledger,
    parked,
    claims: await rows(
      pools.rides,
      'select caller, idempotency_key as key, ride_id as "rideId" from claims where answer is not null',
    ),
    audited: await rows(pools.audit, 'select fact_id as id, topic from facts'),
    analytics: await loadAnalytics(pools.analytics),
    notified: await loadNotified(pools.notifications),
    ways: await loadWays(pools.tracks),
  };
}

/**
 * What was recorded: every step, and what is in an outbox besides. Steps are kept for ever, the outbox may have been
 * emptied of what is in Kafka.
 */
async function loadFacts(pools: Pools, topicPrefix: string): Promise<RecordedFact[]> {
  const facts = new Map<string, RecordedFact>();
  for (const owner of owners) {
    const steps = await rows<{
      key: string;
      version: number;
      type: string;
      fact: { at: string; data: unknown };
    }>(
      pools[owner],
      'select aggregate_id as key, version, fact_type as type, fact from steps order by aggregate_id, version',
    );
    for (const { key, version, type, fact } of steps) {
      const id = factId(type, key, version);
      const topic = factEntry(type)?.topic ?? 'unknown';
      facts.set(id, { id, topic, key, sequence: version, type, at: fact.at, data: fact.data });
    }
    const outbox = await rows<{ topic: string; key: string; headers: Record<string, string>; value: string }>(
      pools[owner],
      'select topic, key, headers, value from outbox order by key, id',
    );
    for (const { topic, key, headers, value } of outbox) {
      const id = headers['ce_id'] ?? '';
      if (facts.has(id)) continue;
      facts.set(id, {
        id,
        topic: topic.slice(topicPrefix.length),
        key,
        sequence: Number(headers['ce_sequence']),
        type: headers['ce_type'] ?? '',
        at: headers['ce_time'] ?? '',
        data: JSON.parse(value),
      });
    }
  }
  return [...facts.values()];
}

async function loadParked(pools: Pools): Promise<string[]> {
  const parked: string[] = [];
  for (const owner of owners) {
    const keys = await rows<{ topic: string; key: string; reason: string }>(
      pools[owner],
      'select topic, key, reason from parked_keys',
    );
    parked.push(...keys.map(({ topic, key, reason }) => `the relay holds ${topic}/${key}: ${reason}`));
  }
  for (const consumer of appliers) {
    const heads = await rows<{ topic: string; key: string; reason: string | null }>(
      pools[consumer],
      'select topic, key, reason from inbox_parked where head',
    );
    parked.push(
      ...heads.map(({ topic, key, reason }) => `${consumer} holds ${topic}/${key}: ${reason ?? ''}`),
    );
  }
  return parked;
}

async function loadAnalytics(pool: Pool): Promise<Evidence['analytics']> {
  const [totals] = await rows<Evidence['analytics']>(
    pool,
    `select coalesce(sum(requested), 0)::bigint as requested, coalesce(sum(completed), 0)::bigint as completed,
       coalesce(sum(cancelled), 0)::bigint as cancelled, coalesce(sum(no_driver), 0)::bigint as "noDriver" from demand`,
  );
  return totals ?? { requested: 0, completed: 0, cancelled: 0, noDriver: 0 };
}

async function loadNotified(pool: Pool): Promise<Evidence['notified']> {
  return rows(
    pool,
    'select fact_id as "factId", recipient_id as "recipientId", channel, template from notifications',
  );
}

async function loadWays(pool: Pool): Promise<Evidence['ways']> {
  const ways = await rows<{ rideId: string }>(pool, 'select distinct ride_id as "rideId" from path_chunks');
  return ways.map(({ rideId }) => rideId);
}

/** How many facts each consumer's database has applied. */
export async function appliedFacts(pools: Pools, consumer: (typeof appliers)[number]): Promise<number> {
  const [sum] = await rows<{ facts: number }>(
    pools[consumer],
    'select coalesce(sum(facts), 0)::bigint as facts from inbox_positions',
  );
  return sum?.facts ?? 0;
}

export interface Unfinished {
  readonly liveRides: number;
  readonly unsettledPayments: number;
  /** Facts recorded so far, and those of them that the relay has sent, each counted once. */
  readonly facts: number;
  readonly relayed: number;
}

/** What is still going on, in a few cheap counts. */
export async function unfinished(pools: Pools): Promise<Unfinished> {
  const statuses = async (pool: Pool, table: 'rides' | 'payments') =>
    rows<{ status: string; count: number }>(
      pool,
      `select status, count(*) as count from ${table} group by status`,
    );
  const [rides, payments] = await Promise.all([
    statuses(pools.rides, 'rides'),
    statuses(pools.payments, 'payments'),
  ]);
  const count = (of: typeof rides, where: (status: string) => boolean): number =>
    of.reduce((sum, { status, count: n }) => sum + (where(status) ? n : 0), 0);
  let [facts, relayed] = [0, 0];
  for (const owner of owners) {
    const [sums] = await rows<{ facts: number; relayed: number }>(
      pools[owner],
      `select (select count(*) from steps) as facts,
              (select coalesce(sum(facts), 0)::bigint from relay_lanes) as relayed`,
    );
    facts += sums?.facts ?? 0;
    relayed += sums?.relayed ?? 0;
  }
  return {
    liveRides: count(rides, (status) => !hasEnded({ status } as Ride)),
    unsettledPayments: count(
      payments,
      (status) => !settledPaymentStatuses.includes(status as Payment['status']),
    ),
    facts,
    relayed,
  };
}

/** How many posts to these webhooks are still to be made. */
export async function postsToMake(
  pools: Pools,
  webhooks: readonly { readonly webhookId: string }[],
): Promise<number> {
  const [pending] = await rows<{ count: number }>(
    pools.notifications,
    `select count(*) as count from deliveries where endpoint_id = any($1) and state = 'pending'`,
    [webhooks.map(({ webhookId }) => webhookId)],
  );
  return pending?.count ?? 0;
}

async function rows<Row>(pool: Pool, sql: string, values: readonly unknown[] = []): Promise<Row[]> {
  return (await pool.query(sql, [...values])).rows as Row[];
}
