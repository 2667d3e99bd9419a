import { isDeepStrictEqual } from 'node:util';
import { driverAccount } from '../../../domain/ledger';
import type { PaymentStatus } from '../../../domain/payment';
import { stepsOf } from '../../../platform/outbox';
import type { Pool } from '../../../platform/postgres';
import { getPayment } from '../../../services/payments/books/paymentStore';
import { getPayout } from '../../../services/payments/books/payoutStore';
import { providerBooks, transfersOf } from '../providerBooks';
import type { House } from './house';

/** How a payment is to be at its end. */
interface Expected {
  readonly rideId: string;
  readonly status: PaymentStatus;
  readonly paidMinor: number;
  /** How often the card may be charged at most; once unless told otherwise. */
  readonly charges?: number;
}

/**
 * Holds a payment against the provider's own books, which know nothing of ours: charged once at most, nothing held any
 * more, our ledger equal to the provider's to the minor unit, its facts without a gap.
 * @returns what is wrong, a sentence each
 */
export async function judgePayment(
  house: House,
  { rideId, status, paidMinor, charges = 1 }: Expected,
): Promise<string[]> {
  const { pool, providerUrl } = house;
  const { movements, netMinor: theirs, holdsOpen } = await providerBooks(providerUrl, rideId);
  const captures = movements.filter(({ kind }) => kind === 'capture');
  const { rows: sums } = await pool.query<{ clearing: number; all: number }>(
    `select coalesce(sum(amount_minor) filter (where account = 'provider_clearing'), 0)::integer as clearing,
            coalesce(sum(amount_minor), 0)::integer as all
     from ledger_entries join ledger_transactions using (transaction_id) where payment_id = $1`,
    [rideId],
  );
  const { clearing, all } = sums[0]!;
  const payment = await getPayment(pool, rideId);
  return [
    payment?.status === status ? '' : `the payment is ${payment?.status}, not ${status}`,
    captures.length <= charges ? '' : `the card was charged ${captures.length} times`,
    theirs === paidMinor ? '' : `the rider has paid ${theirs}, not ${paidMinor}`,
    clearing === theirs ? '' : `our ledger says ${clearing}, the provider ${theirs}`,
    all === 0 ? '' : `the ledger sums to ${all}`,
    holdsOpen ? 'a hold is still open' : '',
    await factsMissing(pool, rideId, payment?.version),
  ].filter((wrong) => wrong !== '');
}

/** The same for a payout: sent once, booked as the provider has it, and nothing of it owed or on its way any more. */
export async function judgePayout(
  { pool, providerUrl }: House,
  { payoutId, driverId, amountMinor }: { payoutId: string; driverId: string; amountMinor: number },
): Promise<string[]> {
  const sent = await transfersOf(providerUrl, payoutId);
  const sentMinor = sent.reduce((sum, amount) => sum + amount, 0);
  const { rows } = await pool.query<{ account: string; sum: number }>(
    `select account, sum(amount_minor)::integer as sum
     from ledger_entries join ledger_transactions using (transaction_id)
     where payout_id = $1 or account = $2 group by account`,
    [payoutId, driverAccount(driverId)],
  );
  const sums = new Map(rows.map(({ account, sum }) => [account, sum]));
  const leftMinor = sums.get(driverAccount(driverId)) ?? 0;
  return [
    sent.length === 1 ? '' : `the payout was sent ${sent.length} times`,
    sentMinor === amountMinor ? '' : `${sentMinor} was sent, not ${amountMinor}`,
    sums.get('provider_clearing') === -sentMinor ? '' : `our ledger does not say that ${sentMinor} was sent`,
    leftMinor === 0 ? '' : `the driver's account says ${leftMinor}`,
    (sums.get('payouts_in_transit') ?? 0) === 0 ? '' : 'a payout is still on its way in our books',
    await factsMissing(pool, payoutId, (await getPayout(pool, payoutId))?.version),
  ].filter((wrong) => wrong !== '');
}

/** One for each version of the row. */
async function factsMissing(pool: Pool, aggregateId: string, version = 0): Promise<string> {
  const versions = (await stepsOf(pool, aggregateId)).map((step) => step.version);
  const wanted = Array.from({ length: version }, (_, i) => i + 1);
  return isDeepStrictEqual(versions, wanted)
    ? ''
    : `the row is version ${version}, its facts ${versions.join()}`;
}
