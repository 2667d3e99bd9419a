import type { KafkaAddress } from '../../platform/kafka';
import type { Summary } from './verdict/summary';

/** What a city needs to know. Everything but the verdict's inputs is for clients of the public API. */
export interface CityOptions {
  readonly apiUrl: string;
  /** Makes a token for a role and a subject. */
  readonly mint: (role: 'rider' | 'driver' | 'operator', subject: string) => Promise<string>;
  /** Columns pickup_at, lat, lng; checked once more before anything starts. */
  readonly pickupsFile: string;
  readonly tripsFile: string;
  readonly drivers: number;
  /** The city's clock against ours; the same number that the policies' durations are divided by. */
  readonly speed: number;
  /** The same seed draws the same rides, drivers and whims. */
  readonly seed: string;
  /** Ends after this many rides with a verdict; undefined is for ever. */
  readonly rides?: number | undefined;
  /** Ends the city at once. */
  readonly signal: AbortSignal;
  readonly report: Report;
  readonly verdict: VerdictInputs;
}

/** Where the city says how it goes. */
export interface Report {
  /** One line of text, every few seconds. */
  line(text: string): void;
  /** On a terminal: the live table, drawn over the one before. Without it there are lines. */
  readonly table?: ((lines: readonly string[]) => void) | undefined;
}

/** What the verdict reads: never the processes under test, only what they wrote. */
export interface VerdictInputs {
  readonly databaseUrls: Readonly<Record<VerdictDatabase, string>>;
  readonly kafka: KafkaAddress;
  readonly topicPrefix: string;
  /** The sandbox provider. */
  readonly pspUrl: string;
}

export type VerdictDatabase =
  'rides' | 'payments' | 'pricing' | 'analytics' | 'audit' | 'notifications' | 'tracks';

export interface CityResult {
  /** Null when the city was ended by its signal before all its rides were done. */
  readonly summary: Summary | null;
  /** The rule for exit 0. */
  readonly ok: boolean;
  /** Why not, a line each; also what was seen that no plan explains. */
  readonly remarks: readonly string[];
}

/** What `npm start` gives a city that was told nothing else. */
export const cityDefaults = { drivers: 160, speed: 30, seed: '2014' } as const;
