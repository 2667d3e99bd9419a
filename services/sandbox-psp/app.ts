import { join } from 'node:path';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { Books, type JournalRecord } from './books';
import { nameRequest, type Sandbox } from './endpoint';
import { Faults } from './faults';
import { Journal } from './journal';
import { sandboxRoutes } from './sandboxRoutes';
import { apiError, invalidRequest, StripeError } from './stripeErrors';
import { requireTestKey, stripeRoutes } from './stripeRoutes';

export interface SandboxPsp {
  readonly app: Express;
  /** Ends delays, writes what waits and closes the journal. Stop the server first. */
  close(): Promise<void>;
}

/**
 * A payment provider for development and tests that speaks a subset of Stripe's API and keeps everything in
 * `<dataDir>/journal.jsonl`. One instance a folder.
 * @param onFailure the journal could not be written: the instance refuses everything from now on and is to be
 *   made anew, since only the file knows what is durable.
 * @throws Error when the journal cannot be opened or read.
 */
export function createSandboxPsp({
  dataDir,
  clock = () => new Date(),
  onFailure = () => {},
}: {
  dataDir: string;
  clock?: () => Date;
  onFailure?: (error: Error) => void;
}): SandboxPsp {
  const books = new Books();
  const journal = Journal.open(
    join(dataDir, 'journal.jsonl'),
    (record) => books.apply(record as JournalRecord),
    onFailure,
  );
  const faults = new Faults();
  const sandbox: Sandbox = { books, journal, faults, clock };

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/healthz', (_req, res) => {
    res.json({ status: 'ok' });
  });
  app.get('/readyz', (_req, res) => {
    res.status(journal.failed ? 503 : 200).json({ status: journal.failed ? 'journal failed' : 'ready' });
  });
  app.use('/sandbox', sandboxRoutes(sandbox));
  app.use((_req, res, next) => {
    nameRequest(res);
    next();
  });
  app.use(
    '/v1',
    requireTestKey,
    express.urlencoded({ extended: true, limit: '64kb' }),
    stripeRoutes(sandbox),
  );
  app.use((req) => {
    throw invalidRequest(`Unrecognized request URL (${req.method}: ${req.path}).`, { status: 404 });
  });
  app.use(answerError);

  let closing: Promise<void> | null = null;
  return {
    app,
    close() {
      faults.close();
      closing ??= journal.close();
      return closing;
    },
  };
}

const answerError: ErrorRequestHandler = (error: unknown, _req, res, _next) => {
  const refusal = asStripeError(error);
  if (res.headersSent) res.destroy();
  else res.status(refusal.status).json({ error: refusal.error });
};

function asStripeError(error: unknown): StripeError {
  if (error instanceof StripeError) return error;
  // The body parsers' errors carry a status: too large, wrongly encoded.
  const { status, message } = error as { status?: unknown; message?: unknown };
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return invalidRequest(String(message), { status });
  }
  return apiError(500, 'An unexpected error occurred.');
}
