import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cityDefaults } from '../city/city';
import { readCommandLine, UsageError, wholeNumber } from '../commandLine';
import { defaultDataDir, projectRoot } from './places';

export interface StartOptions {
  readonly city: boolean;
  readonly pickupsFile: string;
  readonly drivers: number;
  readonly speed: number;
  readonly seed: string;
  readonly dataDir: string;
  readonly rides: number | undefined;
  readonly json: boolean;
}

export const startHelp = `npm start -- [options]

  --rides N        end after N rides have ended, been paid and published, with a verdict (exit 1 if it is bad)
  --json           with --rides: the last line of stdout is the verdict as JSON, everything else goes to stderr
  --no-city        without the simulated city
  --pickups FILE   pickups to replay (CSV with pickup_at, lat, lng)
  --drivers N      drivers in the city (${cityDefaults.drivers})
  --speed X        the city's clock and the policies' durations, X times as fast (${cityDefaults.speed}; 1 without a city)
  --seed S         the same seed draws the same city (${cityDefaults.seed})
  --data-dir DIR   where the data lies (.hailway in the project)
  --help           this text`;

const optionTypes = {
  rides: { type: 'string' },
  json: { type: 'boolean' },
  'no-city': { type: 'boolean' },
  pickups: { type: 'string' },
  drivers: { type: 'string' },
  speed: { type: 'string' },
  seed: { type: 'string' },
  'data-dir': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** @returns the options, or 'help'. @throws UsageError with one line */
export function parseStartOptions(argv: readonly string[], env: NodeJS.ProcessEnv): StartOptions | 'help' {
  const { values } = readCommandLine(argv, optionTypes);
  if (values.help) return 'help';
  const city = values['no-city'] !== true;
  if (!city) {
    for (const name of ['rides', 'json', 'pickups', 'drivers', 'seed'] as const) {
      if (values[name] !== undefined)
        throw new UsageError(`--${name} is about the city, and --no-city is without`);
    }
  }
  const rides = values.rides === undefined ? undefined : wholeNumber('rides', values.rides);
  if (values.json && rides === undefined) throw new UsageError('--json goes with --rides N');
  return {
    city,
    rides,
    json: values.json === true,
    drivers: wholeNumber('drivers', values.drivers ?? String(cityDefaults.drivers), { most: 100_000 }),
    speed: speedOf(values.speed ?? env.HAILWAY_SPEED ?? String(city ? cityDefaults.speed : 1)),
    seed: filled('seed', values.seed ?? cityDefaults.seed),
    pickupsFile: existingFile(values.pickups ?? join(projectRoot(), 'data', 'nyc-pickups-2014-04-02.csv')),
    dataDir: folder(values['data-dir'] ?? defaultDataDir(env)),
  };
}

function speedOf(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < 0.001 || value > 10_000) {
    throw new UsageError(`--speed takes a number from 0.001 to 10000, not ${JSON.stringify(text)}`);
  }
  return value;
}

function filled(name: string, text: string): string {
  if (text === '') throw new UsageError(`--${name} takes a text that is not empty`);
  return text;
}

function existingFile(path: string): string {
  if (!existsSync(path) || !statSync(path).isFile())
    throw new UsageError(`--pickups: there is no file ${path}`);
  return resolve(path);
}

function folder(path: string): string {
  if (path === '') throw new UsageError('--data-dir takes a folder');
  if (existsSync(path) && !statSync(path).isDirectory())
    throw new UsageError(`--data-dir: ${path} is no folder`);
  return resolve(path);
}
