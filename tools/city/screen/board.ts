import type { RideStatus } from '../../../domain/ride';
import { timeOfDay } from '../clock';

/** What the screen shows at a moment. */
export interface BoardState {
  readonly cityTime: number;
  readonly speed: number;
  /** Rides asked for in this run; null is for ever. */
  readonly wanted: number | null;
  readonly rides: ReadonlyMap<RideStatus, number>;
  readonly drivers: { readonly total: number; readonly driving: number };
  readonly factsPerSecond: number | null;
  /** By consumer, records to go. */
  readonly lag: Readonly<Record<string, number>>;
  readonly requestMs: readonly number[];
  readonly retries: number;
}

const shown: readonly [RideStatus, string][] = [
  ['requested', 'requested'],
  ['matching', 'matching'],
  ['assigned', 'assigned'],
  ['arrived', 'arrived'],
  ['in_progress', 'driving'],
  ['completed', 'completed'],
  ['cancelled', 'cancelled'],
  ['no_driver', 'no driver'],
  ['payment_failed', 'declined'],
];

/** One line that says how the city goes. */
export function boardLine(state: BoardState): string {
  const { rides: counts } = state;
  const rides = shown
    .filter(([status]) => (counts.get(status) ?? 0) > 0)
    .map(([status, name]) => `${counts.get(status)} ${name}`);
  return [
    `city ${timeOfDay(state.cityTime)} (x${state.speed})`,
    `rides ${total(state)}${of(state.wanted)}: ${rides.join(', ') || 'none yet'}`,
    `drivers ${state.drivers.driving}/${state.drivers.total}`,
    `facts/s ${perSecond(state)}`,
    `lag ${Object.values(state.lag).reduce((sum, lag) => sum + lag, 0)}`,
    `request p50 ${ms(state, 0.5)} p99 ${ms(state, 0.99)}`,
    ...(state.retries > 0 ? [`retries ${state.retries}`] : []),
  ].join(' | ');
}

/** The live table, a line of text a row. */
export function boardTable(state: BoardState): string[] {
  const { rides: counts } = state;
  const row = (name: string, value: string): string => `  ${name.padEnd(12)} ${value}`;
  return [
    `Hailway city  ${timeOfDay(state.cityTime)}  (${state.speed} times as fast as ours)`,
    row('rides', `${total(state)}${of(state.wanted)}`),
    ...chunks(shown, 5).map((part) =>
      row('', part.map(([status, name]) => `${name} ${counts.get(status) ?? 0}`.padEnd(15)).join(' ')),
    ),
    row('drivers', `${state.drivers.driving} on a ride, ${state.drivers.total} online`),
    row('facts/s', perSecond(state)),
    row(
      'lag',
      Object.entries(state.lag)
        .map(([name, lag]) => `${name} ${lag}`)
        .join('   ') || '-',
    ),
    row('request', `p50 ${ms(state, 0.5)}   p99 ${ms(state, 0.99)}   retries ${state.retries}`),
  ];
}

const total = ({ rides }: BoardState): number => [...rides.values()].reduce((sum, count) => sum + count, 0);

const of = (wanted: number | null): string => (wanted === null ? '' : ` of ${wanted}`);
const perSecond = ({ factsPerSecond }: BoardState): string => factsPerSecond?.toFixed(0) ?? '-';

function ms({ requestMs }: BoardState, quantile: number): string {
  const value = quantileOf(requestMs, quantile);
  return value === null ? '-' : `${value.toFixed(0)} ms`;
}

/** The value that this share of the others is at or below; null for none. */
export function quantileOf(values: readonly number[], quantile: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? null;
}

const chunks = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
