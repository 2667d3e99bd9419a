import type { Checks } from '../frame';
import type { House } from './house';

interface Movement {
  readonly kind: string;
  readonly rideId: string | null;
  readonly amount: number;
}

/** Holds what a round left behind to what has to be true of it: in Postgres and in the provider's own books. */
export async function judgeRound(
  house: House,
  providerUrl: string,
  rideIds: readonly string[],
  checks: Checks,
): Promise<void> {
  const { rides } = house;
  const ended = await rides.query<{ n: number; charge: number }>(
    `select count(*) as n, coalesce(sum((state ->> 'chargeMinor')::bigint), 0)::bigint as charge from rides
     where ride_id = any($1::uuid[]) and status = 'completed'
       and (state ->> 'chargeMinor')::bigint = (state -> 'fare' ->> 'totalMinor')::bigint`,
    [rideIds],
  );
  checks.note('everyRideCompletedAtItsFare', ended.rows[0]!.n === rideIds.length);

  const chargedMinor = await judgePayments(house, providerUrl, rideIds, checks);
  checks.note('chargedWhatWasOwed', chargedMinor === ended.rows[0]!.charge);
  checks.note('factsContiguous', await contiguous(rides, rideIds));
}

/**
 * The same of payments alone: each captured, once, and all of them in the ledger.
 * @returns what the provider has taken for them, in minor units
 */
export async function judgePayments(
  { payments }: Pick<House, 'payments'>,
  providerUrl: string,
  rideIds: readonly string[],
  checks: Checks,
): Promise<number> {
  const captured = await payments.query<{ n: number; sum: number }>(
    `select count(*) as n, coalesce(sum((state ->> 'capturedMinor')::bigint), 0)::bigint as sum from payments
     where payment_id = any($1::uuid[]) and status = 'captured'`,
    [rideIds],
  );
  checks.note('everyPaymentCaptured', captured.rows[0]!.n === rideIds.length);

  const { movements } = (await (await fetch(`${providerUrl}/sandbox/ledger`)).json()) as {
    movements: Movement[];
  };
  const wanted = new Set(rideIds);
  const ours = movements.filter(({ rideId }) => rideId !== null && wanted.has(rideId));
  const charged = ours.reduce((sum, { amount }) => sum + amount, 0);
  checks.note(
    'capturedOnceAtTheProvider',
    ours.length === rideIds.length && new Set(ours.map(({ rideId }) => rideId)).size === rideIds.length,
  );
  checks.note('capturedWhatIsBooked', charged === captured.rows[0]!.sum);

  const ledger = await payments.query<{ n: number; off: number }>(
    `select count(*) as n, count(*) filter (where total <> 0) as off from (
       select sum(amount_minor) as total from ledger_entries group by currency) as sums`,
  );
  checks.note('ledgerSumsToZero', ledger.rows[0]!.n > 0 && ledger.rows[0]!.off === 0);
  checks.note('factsContiguous', await contiguous(payments, rideIds));
  return charged;
}

/** Every aggregate has its versions from 1 without a gap, and each of them is in the outbox once. */
async function contiguous(pool: House['rides'], ids: readonly string[]): Promise<boolean> {
  const { rows } = await pool.query<{ n: number; off: number }>(
    `with steps_of as (
       select aggregate_id::text as key, array_agg(version order by version) as versions from steps
       where aggregate_id::text = any($1) group by 1
     ), sent as (
       select key, array_agg((headers ->> 'ce_sequence')::integer order by (headers ->> 'ce_sequence')::integer) as versions
       from outbox where key = any($1) group by 1
     )
     select count(*) as n, count(*) filter (where steps_of.versions <> sent.versions
       or sent.versions is null
       or steps_of.versions <> array(select generate_series(1, cardinality(steps_of.versions)))) as off
     from steps_of left join sent using (key)`,
    [ids],
  );
  return rows[0]!.n === ids.length && rows[0]!.off === 0;
}
