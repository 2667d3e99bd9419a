import { join } from 'node:path';
import type { Say } from '../../stack/say';
import { Checks, inRounds, percentile, ratiosTo, rounded, type BenchResult, type Metrics } from '../frame';
import { onGround, startContestants, type Both } from '../ground';
import type { BenchOptions } from '../options';
import { cpuMsOf, familyCpuMsOf } from '../processTime';
import { judgeRound } from './evidence';
import { readHistories } from './history';
import type { Ground, House } from './house';
import { closedLoop, setOut, steadyPace } from './load';
import { createPeople, type Driven, type People } from './standardRide';

/** Rides at once in the closed loop, and drivers there are for the rides at half load. */
const AT_ONCE = 16;
const DRIVERS = 64;
const RIDES_A_ROUND = 100;
const IDLE_RIDES = 20;
const HISTORIES = 10;
const OPEN_LEVELS = [100, 300];

interface Contestant {
  readonly house: House;
  readonly people: People;
}

/**
 * One standard ride (one offer, accepted, driven, captured) in two ways: `sample`, in the style of the published
 * samples, and `hailway`, with its own processes. Both behind the same gateway, on the same servers; both leave the
 * same rows, facts and bookings, which is checked in every round.
 */
export const benchRide = (options: BenchOptions, say: Say): Promise<BenchResult> =>
  onGround(say, async (ground, stops) => {
    const sample = [{ process: 'gateway' }, { script: join(__dirname, 'sampleWorker.js') }] as const;
    const hailway = [{ process: 'gateway' }, { process: 'rides' }, { process: 'payments' }] as const;
    const begin = async (house: House): Promise<Contestant> => {
      const people = createPeople(house, ground);
      stops.push(() => people.stop());
      await people.register(0, DRIVERS);
      // The first rides pay for caches and compilation.
      await closedLoop(people, { count: 2 * AT_ONCE, atOnce: AT_ONCE });
      return { house, people };
    };
    const contestants = await startContestants(ground, { sample, hailway }, { say, stops, begin });
    return measure(ground, contestants, options, say);
  });

async function measure(
  ground: Ground,
  contestants: Both<Contestant>,
  { rounds, size = RIDES_A_ROUND, open = OPEN_LEVELS }: BenchOptions,
  say: Say,
): Promise<BenchResult> {
  const checks = new Checks();
  const figures: Record<string, number> = {};
  let first: Awaited<ReturnType<typeof inRounds>> | undefined;
  let ridesOpen = 0;
  for (const level of open) {
    for (const { house, people } of Object.values(contestants)) {
      await say.during(`${house.name}: ${level} rides set out`, () =>
        setOut(people, { from: DRIVERS + ridesOpen, to: DRIVERS + level, atOnce: AT_ONCE }),
      );
    }
    ridesOpen = Math.max(ridesOpen, level);
    const round = (contestant: Contestant) => () => oneRound(ground, contestant, size, checks);
    const { sample, hailway } = contestants;
    const seen = await inRounds({ sample: round(sample), hailway: round(hailway) }, rounds, (text) =>
      say.line(`${level} open, ${text}`),
    );
    first ??= seen;
    for (const [name, metrics] of Object.entries(seen)) {
      for (const metric of [
        'ridesPerSecond',
        'requestP50Ms',
        'requestP99Ms',
        'requestHalfLoadP50Ms',
        'requestHalfLoadP99Ms',
        'workerCpuMsPerRide',
        'serverCpuMsPerRide',
      ])
        figures[`${name}At${level}Open.${metric}`] = metrics[metric]!.median;
    }
  }
  const seen = first!;
  const headline = [
    'historyEventsPerRide',
    'requestP50Ms',
    'requestP99Ms',
    'workerCpuMsPerRide',
    'serverCpuMsPerRide',
  ];
  return {
    bench: 'ride',
    rounds,
    contestants: seen,
    ratios: ratiosTo('sample', seen),
    figures: {
      ratioIfTheWorkersWereFree: ratioWithoutWorkers(seen),
      ...Object.fromEntries(headline.map((metric) => [metric, seen['hailway']![metric]!.median])),
      ...figures,
    },
    checks: checks.all,
  };
}

/**
 * What `hailway/sample` would be, both being held up by the CPU alone, if Hailway's workers took none of it: what is
 * left is the same for both (gateway, Postgres, provider, the people) or the server's work.
 */
function ratioWithoutWorkers(seen: Awaited<ReturnType<typeof inRounds>>): number {
  const { sample, hailway } = seen;
  const left = hailway!['cpuMsPerRide']!.median - hailway!['workerCpuMsPerRide']!.median;
  return rounded(sample!['cpuMsPerRide']!.median / left);
}

/** As many rides a second as there is power for, then one after another, then at half that pace. */
async function oneRound(
  ground: Ground,
  { house, people }: Contestant,
  size: number,
  checks: Checks,
): Promise<Metrics> {
  const { servers, provider } = ground;
  const [gatewayPid, ...workerPids] = house.pids;
  const readCpu = () => ({
    worker: workerPids.reduce((sum, pid) => sum + cpuMsOf(pid), 0),
    server: cpuMsOf(servers.pid('temporal')),
    gateway: cpuMsOf(gatewayPid!),
    postgres: familyCpuMsOf(servers.pid('postgres')),
    provider: cpuMsOf(provider.pid),
    people: cpuMsOf(process.pid),
  });
  const before = readCpu();
  const startedAt = performance.now();
  const busy = await closedLoop(people, { count: size, atOnce: AT_ONCE });
  const ridesPerSecond = (size * 1_000) / (performance.now() - startedAt);
  const after = readCpu();
  const cpuMs = (of: keyof typeof after): number => (after[of] - before[of]) / size;

  const idle = await closedLoop(people, { count: IDLE_RIDES, atOnce: 1 });
  const count = Math.max(IDLE_RIDES, Math.round(size / 2));
  const half = await steadyPace(people, { count, perSecond: ridesPerSecond / 2, drivers: DRIVERS });

  const rideIds = [...busy, ...idle, ...half].map(({ rideId }) => rideId);
  await judgeRound(house, provider.url, rideIds, checks);
  const written = await readHistories(servers.temporalAddress, house, rideIds.slice(0, HISTORIES));
  const p = (rides: readonly Driven[], percent: number): number =>
    percentile(
      rides.map(({ requestMs }) => requestMs),
      percent,
    );
  return {
    ridesPerSecond,
    historyEventsPerRide: written.events,
    workflowTasksPerRide: written.workflowTasks,
    actionsPerRide: written.actions,
    cpuMsPerRide: Object.keys(after).reduce((sum, of) => sum + cpuMs(of as keyof typeof after), 0),
    workerCpuMsPerRide: cpuMs('worker'),
    serverCpuMsPerRide: cpuMs('server'),
    gatewayCpuMsPerRide: cpuMs('gateway'),
    postgresCpuMsPerRide: cpuMs('postgres'),
    providerCpuMsPerRide: cpuMs('provider'),
    peopleCpuMsPerRide: cpuMs('people'),
    requestP50Ms: p(idle, 50),
    requestP99Ms: p(idle, 99),
    requestHalfLoadP50Ms: p(half, 50),
    requestHalfLoadP99Ms: p(half, 99),
    requestFullLoadP50Ms: p(busy, 50),
  };
}
