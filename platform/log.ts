import { pino, type DestinationStream, type Logger } from 'pino';
import { redacted } from './redact';
import { currentLogFields } from './telemetry/trace';

export type { Logger };
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/**
 * A logger that writes one JSON object a line to stdout (or `destination`), with the process's name. A line that belongs
 * to a request, an activity or a fact says so (`requestId`, `workflowId` and `activity`, `correlationId`) and names its
 * trace (`trace_id`, `span_id`). Secrets and what is about people is blotted out (`platform/redact.ts`).
 */
export function createLogger(name: string, level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    name,
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (line: object) => redacted(line) as Record<string, unknown>,
    },
    // Errors are plain by then.
    serializers: { err: (error: unknown) => error },
    mixin: currentLogFields,
  };
  return destination ? pino(options, destination) : pino(options);
}
