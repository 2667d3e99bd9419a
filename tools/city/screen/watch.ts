import { drivingStatuses } from '../../../domain/ride';
import { wait } from '../../../platform/wait';
import type { CityClock } from '../clock';
import type { Report } from '../options';
import type { CityRecord } from '../people/record';
import type { Court } from '../verdict/court';
import { boardLine, boardTable, type BoardState } from './board';

const TABLE_EVERY_MS = 1_000;
const LINE_EVERY_MS = 5_000;
const GAUGES_EVERY_MS = 4_000;

export interface Watched {
  readonly report: Report;
  readonly record: CityRecord;
  readonly clock: CityClock;
  readonly drivers: number;
  readonly wanted: number | null;
  readonly court: Pick<Court, 'gauges'>;
}

/** Shows how the city goes until the signal: a table on a terminal, lines elsewhere. Never throws. */
export async function watchCity(watched: Watched, signal: AbortSignal): Promise<void> {
  const gauges = { factsPerSecond: null as number | null, lag: {} as Readonly<Record<string, number>> };
  const measuring = measure(watched.court, gauges, signal);
  const { report } = watched;
  while (!signal.aborted) {
    await wait(report.table ? TABLE_EVERY_MS : LINE_EVERY_MS, signal);
    if (signal.aborted) break;
    const state = stateOf(watched, gauges);
    if (report.table) report.table(boardTable(state));
    else report.line(boardLine(state));
  }
  await measuring;
}

function stateOf(
  { record, clock, drivers, wanted }: Watched,
  gauges: Pick<BoardState, 'factsPerSecond' | 'lag'>,
): BoardState {
  const { ridesByStatus: rides, requestMs, retries } = record;
  const driving = drivingStatuses.reduce((sum, status) => sum + (rides.get(status) ?? 0), 0);
  const { speed } = clock;
  return {
    cityTime: clock.now(),
    speed,
    wanted,
    rides,
    drivers: { total: drivers, driving },
    requestMs,
    retries,
    ...gauges,
  };
}

/** Facts and lag come from the databases and the broker, now and then: the city's apps do not see them. */
async function measure(
  court: Pick<Court, 'gauges'>,
  gauges: { factsPerSecond: number | null; lag: Readonly<Record<string, number>> },
  signal: AbortSignal,
): Promise<void> {
  let before: { facts: number; at: number } | null = null;
  while (!signal.aborted) {
    const now = await court.gauges().catch(() => null);
    const at = performance.now();
    if (now !== null) {
      if (before !== null) gauges.factsPerSecond = ((now.facts - before.facts) * 1_000) / (at - before.at);
      gauges.lag = now.lag;
      before = { facts: now.facts, at };
    }
    await wait(GAUGES_EVERY_MS, signal);
  }
}
