import { join } from 'node:path';
import type { Say } from '../../stack/say';
import { Checks, inRounds, ratiosTo, rounded, type BenchResult, type Metrics } from '../frame';
import { prepareGround, type Stops } from '../ground';
import type { BenchOptions } from '../options';
import { cpuMsOf } from '../processTime';
import { judgePayments } from '../ride/evidence';
import { readHistories } from '../ride/history';
import { newDatabase, startHouse, type Ground, type House, type HouseSpec } from '../ride/house';
import { createCashier, type Cashier } from './cashier';
import { measureLedger } from './ledger';

const AT_ONCE = 16;
const PAYMENTS_A_ROUND = 200;
const HISTORIES = 10;
const BOOKINGS = 10_000;
/** What a payment may cost Temporal. */
const MOST_HISTORY_EVENTS = 20;

interface Contestant {
  readonly house: House;
  readonly cashier: Cashier;
}

/**
 * One payment, authorized and captured, in two ways: `sample`, in the style of the published samples, and `hailway`,
 * with its own worker. On the same servers and against the same provider; both leave the same rows, facts and bookings,
 * which is checked in every round. And the ledger alone: how many bookings a second the store takes.
 */
export async function benchPayment(options: BenchOptions, say: Say): Promise<BenchResult> {
  const stops: Stops = [];
  try {
    const ground = await prepareGround(say, stops);
    const contestants = await prepareContestants(ground, say, stops);
    return await measure(ground, contestants, options, say);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function prepareContestants(ground: Ground, say: Say, stops: Stops) {
  const { ports, temporalAddress } = ground.servers;
  const start = async (
    name: string,
    port: number,
    processes: HouseSpec['processes'],
  ): Promise<Contestant> => {
    const house = await startHouse(ground, { name, port, processes });
    stops.push(() => house.stop());
    const cashier = await createCashier(house, temporalAddress);
    stops.push(() => cashier.stop());
    // The first payments pay for caches and compilation.
    await closedLoop(cashier, 2 * AT_ONCE);
    return { house, cashier };
  };
  return say.during('Starting the contestants', async () => ({
    sample: await start('sample', ports.gateway, [{ script: join(__dirname, 'sampleWorker.js') }]),
    hailway: await start('hailway', ports.pricing, [{ process: 'payments' }]),
  }));
}

async function measure(
  ground: Ground,
  { sample, hailway }: { sample: Contestant; hailway: Contestant },
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

/** Payments one after another in each of some hands, `count` in all. @returns their ids */
async function closedLoop(cashier: Cashier, count: number): Promise<string[]> {
  const paid: string[] = [];
  let begun = 0;
  const hand = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      paid.push(await cashier.pay());
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, hand));
  return paid;
}
