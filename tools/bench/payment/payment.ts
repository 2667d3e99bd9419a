import { join } from 'node:path';
import type { Say } from '../../stack/say';
import { Checks, inRounds, ratiosTo, rounded, type BenchResult, type Metrics } from '../frame';
import { inHands, onGround, startContestants, type Both } from '../ground';
import type { BenchOptions } from '../options';
import { cpuMsOf } from '../processTime';
import { judgePayments } from '../ride/evidence';
import { readHistories } from '../ride/history';
import { newDatabase, type Ground, type House } from '../ride/house';
import { createCashier, type Cashier } from './cashier';
import { measureLedger } from './ledger';

const AT_ONCE = 16;
const PAYMENTS_A_ROUND = 200;
const HISTORIES = 10;
const BOOKINGS = 10_000;
/** What a payment may cost Temporal. */
const MOST_HISTORY_EVENTS = 20;
/** What the store alone has to take in a second. */
const LEAST_LEDGER_TRANSACTIONS = 1_000;

interface Contestant {
  readonly house: House;
  readonly cashier: Cashier;
}

/**
 * One payment, authorized and captured, in two ways: `sample`, in the style of the published samples, and `hailway`,
 * with its own worker. On the same servers and against the same provider; both leave the same rows, facts and bookings,
 * which is checked in every round. And the ledger alone: how many bookings a second the store takes.
 */
export const benchPayment = (options: BenchOptions, say: Say): Promise<BenchResult> =>
  onGround(say, async (ground, stops) => {
    const sample = [{ script: join(__dirname, 'sampleWorker.js') }];
    const hailway = [{ process: 'payments' }] as const;
    const begin = async (house: House): Promise<Contestant> => {
      const cashier = await createCashier(house, ground.servers.temporalAddress);
      stops.push(() => cashier.stop());
      // The first payments pay for caches and compilation.
      await closedLoop(cashier, 2 * AT_ONCE);
      return { house, cashier };
    };
    const contestants = await startContestants(ground, { sample, hailway }, { say, stops, begin });
    return measure(ground, contestants, options, say);
  });

async function measure(
  ground: Ground,
  { sample, hailway }: Both<Contestant>,
  { rounds, size = PAYMENTS_A_ROUND }: BenchOptions,
  say: Say,
): Promise<BenchResult> {
  const checks = new Checks();
  const round = (contestant: Contestant) => () => oneRound(ground, contestant, size, checks);
  const seen = await inRounds({ sample: round(sample), hailway: round(hailway) }, rounds, (text) =>
    say.line(text),
  );
  const events = seen['hailway']!['historyEventsPerPayment']!;
  checks.note(`atMost${MOST_HISTORY_EVENTS}HistoryEvents`, events.max <= MOST_HISTORY_EVENTS);
  const ledger = await say.during('The ledger alone', async () =>
    measureLedger(await newDatabase(ground, 'ledger', 'payments'), BOOKINGS, checks),
  );
  checks.note(
    `atLeast${LEAST_LEDGER_TRANSACTIONS}LedgerTransactionsPerSecond`,
    ledger.perSecond >= LEAST_LEDGER_TRANSACTIONS,
  );
  return {
    bench: 'payment',
    rounds,
    contestants: seen,
    ratios: ratiosTo('sample', seen),
    figures: {
      historyEventsPerPayment: events.median,
      ledgerTransactionsPerSecond: rounded(ledger.perSecond),
      ledgerP50Ms: rounded(ledger.p50Ms),
      ledgerP99Ms: rounded(ledger.p99Ms),
    },
    checks: checks.all,
  };
}

/** As many payments a second as there is power for. */
async function oneRound(
  ground: Ground,
  { house, cashier }: Contestant,
  size: number,
  checks: Checks,
): Promise<Metrics> {
  const { servers, provider } = ground;
  const readCpu = () => ({
    worker: house.pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0),
    server: cpuMsOf(servers.pid('temporal')),
  });
  const before = readCpu();
  const startedAt = performance.now();
  const paymentIds = await closedLoop(cashier, size);
  const paymentsPerSecond = (size * 1_000) / (performance.now() - startedAt);
  const after = readCpu();

  await judgePayments(house, provider.url, paymentIds, checks);
  const looked = paymentIds.slice(0, HISTORIES);
  await Promise.all(looked.map((paymentId) => cashier.ended(paymentId)));
  const written = await readHistories(servers.temporalAddress, house, looked);
  return {
    paymentsPerSecond,
    historyEventsPerPayment: written.events,
    workflowTasksPerPayment: written.workflowTasks,
    actionsPerPayment: written.actions,
    workerCpuMsPerPayment: (after.worker - before.worker) / size,
    serverCpuMsPerPayment: (after.server - before.server) / size,
  };
}

/** @returns the payments' ids */
const closedLoop = (cashier: Cashier, count: number): Promise<string[]> =>
  inHands({ count, atOnce: AT_ONCE }, () => cashier.pay());
