import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../platform/config';
import { checkPickups, InputError, runCity, type CityResult } from '../city/city';
import { DataDirLocked } from './lock';
import { UsageError } from '../commandLine';
import { parseStartOptions, startHelp, type StartOptions } from './options';
import { PartMissing, takeParts } from './parts';
import { DataDirUnreachable, projectRoot } from './places';
import { portsFrom, PortTaken } from './ports';
import { createSay, type Say } from './say';
import { killEverything, startStack, type Stack } from './stack';

const interrupted = 130;

/**
 * `npm start`: everything, until Ctrl-C or until the wanted rides are done. Call once in a process.
 * @returns the exit code: 0; 1 something failed or the verdict is bad; 2 wrong arguments; 78 wrong environment; 130
 *   interrupted before the verdict
 */
export async function main(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  let options: StartOptions;
  try {
    const parsed = parseStartOptions(argv, env);
    if (parsed === 'help') {
      process.stdout.write(`${startHelp}\n`);
      return 0;
    }
    options = parsed;
  } catch (error) {
    return explain(error);
  }
  const say = createSay(options.json ? process.stderr : process.stdout);
  const stopping = stopOnSignals(options.dataDir, say);
  try {
    return await live(options, env, say, stopping);
  } catch (error) {
    if (stopping.aborted) return interrupted;
    return explain(error);
  }
}

async function live(
  options: StartOptions,
  env: NodeJS.ProcessEnv,
  say: Say,
  signal: AbortSignal,
): Promise<number> {
  const { dataDir, speed } = options;
  const startedAt = Date.now();
  loadConfig(env);
  const ports = portsFrom(env);
  if (options.city) await checkPickups(options.pickupsFile);
  const parts = await takeParts({ env, say, signal });
  const stack = await startStack({ parts, dataDir, ports, speed, say, env, signal });
  let result: CityResult | undefined;
  try {
    sayWhere(stack, options, say, Date.now() - startedAt);
    if (options.city) result = await liveCity(options, stack, say, signal);
    else await untilAborted(signal);
  } finally {
    const stoppingAt = Date.now();
    say.table?.([]);
    await say.during('Stopping', () => stack.stop());
    say.line(`Stopped in ${((Date.now() - stoppingAt) / 1_000).toFixed(1)} s; the data stays in ${dataDir}`);
  }
  if (!result) return 0;
  for (const remark of result.remarks) say.line(remark);
  if (options.rides === undefined) return 0;
  if (!result.summary) return interrupted;
  process.stdout.write(`${JSON.stringify(result.summary, null, options.json ? 0 : 2)}\n`);
  return result.ok ? 0 : 1;
}

function liveCity(options: StartOptions, stack: Stack, say: Say, signal: AbortSignal): Promise<CityResult> {
  const { pickupsFile, drivers, speed, seed, rides } = options;
  return runCity({
    apiUrl: stack.apiUrl,
    mint: (role, sub) => stack.issuer.mintToken({ role, sub }),
    pickupsFile,
    tripsFile: join(projectRoot(), 'data', 'nyc-taxi-trips-2019-03.csv'),
    drivers,
    speed,
    seed,
    rides,
    signal,
    report: { line: (text) => say.line(text), table: say.table },
    verdict: {
      databaseUrls: stack.databaseUrls,
      kafka: stack.kafka,
      topicPrefix: stack.topicPrefix,
      pspUrl: stack.pspUrl,
    },
  });
}

function sayWhere(stack: Stack, { dataDir, speed, city }: StartOptions, say: Say, tookMs: number): void {
  say.line('');
  say.line(`Hailway is up after ${(tookMs / 1_000).toFixed(1)} s, at speed ${speed}`);
  say.line(`  API          ${stack.apiUrl}`);
  say.line(`  console      ${stack.consoleUrl}`);
  say.line(`  Temporal UI  ${stack.temporalUiUrl ?? 'that of your own server'}`);
  say.line(`  data, logs   ${dataDir}`);
  say.line(city ? '' : '  Ctrl-C stops everything\n');
}

/** The first signal asks for a stop in order; the second kills everything at once. */
function stopOnSignals(dataDir: string, say: Say): AbortSignal {
  const stopping = new AbortController();
  const onSignal = (): void => {
    if (stopping.signal.aborted) {
      killEverything(dataDir);
      process.exit(interrupted);
    }
    say.line('Stopping: the services first, then the servers. Once more for at once.');
    stopping.abort(new Error('interrupted'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('SIGHUP', onSignal);
  return stopping.signal;
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    // A promise alone does not keep a process alive.
    const alive = setInterval(() => {}, 60_000);
    signal.addEventListener('abort', () => {
      clearInterval(alive);
      resolve();
    });
  });

const usersToMend = [PartMissing, PortTaken, DataDirLocked, DataDirUnreachable];

/** Errors that are a user's to mend need no stack trace. */
function explain(error: unknown): number {
  if (error instanceof UsageError || error instanceof InputError) {
    process.stderr.write(`${error.message}\n`);
    return UsageError.exitCode;
  }
  if (error instanceof ConfigError) {
    process.stderr.write(`${error.message}\n`);
    return ConfigError.exitCode;
  }
  const known = usersToMend.some((kind) => error instanceof kind);
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  process.stderr.write(`${known ? message : (stack ?? message)}\n`);
  return 1;
}
