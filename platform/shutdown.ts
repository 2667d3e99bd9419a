import { ConfigError, loadConfig, type Config } from './config';
import { createLogger, type Logger } from './log';
import { createMetrics, type Metrics } from './metrics';
import { startTelemetry } from './telemetry';

/** Stops what was started, in order, finishing the batch in hand. Called once. */
export type Stop = () => Promise<void> | void;

export interface ProcessContext {
  readonly config: Config;
  readonly log: Logger;
  /** Of this process; its HTTP app shows them at `/metrics`. */
  readonly metrics: Metrics;
  /** Aborted when the process shall stop: loops end after the batch in hand. */
  readonly signal: AbortSignal;
  /** For work in the background that cannot go on: stops in order and exits with 1; at once with 78 for a ConfigError. */
  readonly fail: (error: unknown) => void;
}

/** Below the 10 s that container runtimes and the supervisor give before they kill. */
const stopDeadlineMs = 9_000;

/**
 * The life of one process: reads the configuration, starts, and stops once in order when it gets SIGTERM or
 * SIGINT or when the IPC channel to its parent breaks (the supervisor died). A second signal exits at once.
 * Exit codes: 0 stopped in order, 1 failed or not stopped in time, 78 wrong configuration, 128+n second signal.
 */
export function runProcess(name: string, start: (context: ProcessContext) => Promise<Stop>): void {
  let log = createLogger(name, 'info');
  const stopping = new AbortController();
  let exitCode = 0;

  const exitWith = (error: unknown, message: string): void => {
    if (error instanceof ConfigError) {
      process.stderr.write(`${name}: ${error.message}\n`);
      process.exit(ConfigError.exitCode);
    }
    log.fatal({ err: error }, message);
    process.exit(1);
  };

  const requestStop = (reason: string): void => {
    if (stopping.signal.aborted) return;
    log.info({ reason }, 'stopping');
    setTimeout(() => {
      log.error({ stopDeadlineMs }, 'not stopped in time');
      process.exit(1);
    }, stopDeadlineMs);
    stopping.abort(new Error(reason));
  };

  const fail = (error: unknown): void => {
    if (error instanceof ConfigError) exitWith(error, error.message);
    log.error({ err: error }, 'failed');
    exitCode = 1;
    requestStop('failure');
  };

  const onSignal = (signal: NodeJS.Signals, number: number): void => {
    if (stopping.signal.aborted) process.exit(128 + number);
    requestStop(signal);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('disconnect', () => requestStop('parent gone'));
  process.on('unhandledRejection', (error) => exitWith(error, 'unhandled rejection'));
  process.on('uncaughtException', (error) => exitWith(error, 'uncaught exception'));

  const live = async (): Promise<void> => {
    const config = loadConfig(process.env);
    log = createLogger(name, config.LOG_LEVEL);
    const stopTelemetry = startTelemetry({
      service: `hailway-${name}`,
      endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
      log,
    });
    const stop = await start({ config, log, metrics: createMetrics(name), signal: stopping.signal, fail });
    if (!stopping.signal.aborted) {
      log.info('started');
      await new Promise<void>((resolve) => {
        // A process whose work is all in timers it unref'ed would otherwise end here.
        const alive = setInterval(() => {}, 60_000);
        stopping.signal.addEventListener('abort', () => {
          clearInterval(alive);
          resolve();
        });
      });
    }
    await stop();
    await stopTelemetry();
    log.info('stopped');
    process.exit(exitCode);
  };

  live().catch((error: unknown) => {
    // A start that was told to stop half way ends with whatever its abort made of it.
    const interrupted = stopping.signal.aborted && error === stopping.signal.reason;
    if (interrupted) process.exit(exitCode);
    exitWith(error, stopping.signal.aborted ? 'stopping failed' : 'start failed');
  });
}
