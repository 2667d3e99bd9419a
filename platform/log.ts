import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger };
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/**
 * A logger that writes one JSON object a line to stdout (or `destination`), with the process's name.
 * Tokens and keys that find their way into a logged object are blotted out.
 */
export function createLogger(name: string, level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    name,
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: ['authorization', '*.authorization', '*.*.authorization', 'token', '*.token', '*.apiKey'],
  };
  return destination ? pino(options, destination) : pino(options);
}
