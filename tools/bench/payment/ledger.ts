import { v7 as uuidv7 } from 'uuid';
import { ledgerEntries } from '../../../domain/ledger';
import { createPool, withTransaction } from '../../../platform/postgres';
import { balances, book } from '../../../services/payments/books/ledger';
import type { Checks } from '../frame';
import { percentile } from '../frame';
import { inHands } from '../ground';

const CONNECTIONS = 16;
const WARM_UP = 500;
const DRIVERS = 500;

export interface LedgerFigures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * The store alone: bookings of fares, each a transaction that is committed to the disk, in as many connections as a few
 * processes have. The figures are of one database, whose address is given.
 */
export async function measureLedger(url: string, count: number, checks: Checks): Promise<LedgerFigures> {
  const pool = createPool(url, { applicationName: 'bench ledger', max: CONNECTIONS });
  try {
    const bookFares = (count: number): Promise<number[]> =>
      inHands({ count, atOnce: CONNECTIONS }, async (n) => {
        const booking = bookingOfFare(n);
        const startedAt = performance.now();
        await withTransaction(pool, (tx) => book(tx, booking));
        return performance.now() - startedAt;
      });
    await bookFares(WARM_UP);
    const startedAt = performance.now();
    const tookMs = await bookFares(count);
    const seconds = (performance.now() - startedAt) / 1_000;
    await judgeBalances(pool, WARM_UP + count, checks);
    return {
      perSecond: count / seconds,
      p50Ms: percentile(tookMs, 50),
      p99Ms: percentile(tookMs, 99),
    };
  } finally {
    await pool.end();
  }
}

const fareMinor = 1_500;

function bookingOfFare(n: number): Parameters<typeof book>[1] {
  const data = {
    ...{ intentId: `pi_${n}`, amountMinor: fareMinor, currency: 'USD' },
    ...{ driverId: `driver-${n % DRIVERS}`, commissionMinor: 276, taxMinor: 120 },
  };
  const recordedAt = new Date().toISOString();
  return {
    stepId: uuidv7(),
    paymentId: uuidv7(),
    kind: 'payment.captured',
    recordedAt,
    entries: ledgerEntries({ type: 'payment.captured', data }),
  };
}

async function judgeBalances(
  pool: ReturnType<typeof createPool>,
  bookings: number,
  checks: Checks,
): Promise<void> {
  const all = await balances(pool);
  const sum = all.reduce((total, { amountMinor }) => total + amountMinor, 0);
  const clearing = all.find(({ account }) => account === 'provider_clearing');
  checks.note('ledgerAloneBalances', sum === 0 && clearing?.amountMinor === bookings * fareMinor);
}
