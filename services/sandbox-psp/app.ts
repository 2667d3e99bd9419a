import { join } from 'node:path';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { Books, type JournalRecord } from './books';
import type { Sandbox } from './commit';
import { nameRequest } from './endpoint';
import { Faults } from './faults';
import { Journal } from './journal';
import { sandboxRoutes } from './sandboxRoutes';
import { asStripe } from './shape';
import { apiError, invalidRequest, StripeError } from './stripeErrors';
import { stripeRoutes } from './stripeRoutes';
import { requireTestKey } from './testKey';
import { catchUp } from './time';
import { Courier, type WebhookEndpoint } from './webhooks/courier';

export interface SandboxPsp {
  readonly app: Express;
  /** Ends delays and webhooks, writes what waits and closes the journal. Stop the server first. */
  close(): Promise<void>;
}

/** How often the clock is looked at when nobody asks. */
const clockLookMs = 1_000;

/**
 * A payment provider for development and tests that speaks a subset of Stripe's API and keeps everything in
 * `<dataDir>/journal.jsonl`. One instance a folder.
 * @param webhooks where events are posted to; nowhere unless told.
 * @param publicUrl where riders reach its pages; where it is asked unless told.
 * @param onFailure the journal could not be written: the instance refuses everything from now on and is to be
 *   made anew, since only the file knows what is durable.
 * @throws Error when the journal cannot be opened or read.
 */
export function createSandboxPsp({
  dataDir,
  clock: machineClock = () => new Date(),
  webhooks = null,
  publicUrl = null,
  onFailure = () => {},
}: {
  dataDir: string;
  clock?: () => Date;
  webhooks?: (WebhookEndpoint & { readonly firstPauseMs?: number }) | null;
  publicUrl?: string | null;
  onFailure?: (error: Error) => void;
}): SandboxPsp {
  const books = new Books();
  const journal = Journal.open(
    join(dataDir, 'journal.jsonl'),
    (record) => books.apply(record as JournalRecord),
    onFailure,
  );
  const clock = (): Date => new Date(machineClock().getTime() + books.clockAheadMs);
  const faults = new Faults();
  const courier = new Courier({
    books,
    journal,
    clock,
    endpoint: webhooks,
    firstPauseMs: webhooks?.firstPauseMs,
  });
  const sandbox: Sandbox = { books, journal, faults, courier, clock, publicUrl };
  courier.look();
  const clockWatch = setInterval(() => catchUp(sandbox), clockLookMs).unref();

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Stripe's lists are asked for with created[gte]=…
  app.set('query parser', 'extended');
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
      clearInterval(clockWatch);
      courier.close();
      faults.close();
      closing ??= journal.close();
      return closing;
    },
  };
}

const answerError: ErrorRequestHandler = (error: unknown, _req, res, _next) => {
  const refusal = asStripeError(error);
  if (res.headersSent) res.destroy();
  else
    res
      .status(refusal.status)
      .set(refusal.headers)
      .json(asStripe({ error: refusal.error }));
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
