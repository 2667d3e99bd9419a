import { Router } from 'express';
import { appStateOf } from './context';

/** By the name of a dependency: resolves when it answers, rejects with what is wrong. */
export type ReadinessChecks = Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>>;

const checkDeadlineMs = 2_000;

/** 'ok', or what is wrong in a few words: `/readyz` is for operators. */
async function outcome(check: (signal: AbortSignal) => Promise<unknown>): Promise<string> {
  const signal = AbortSignal.timeout(checkDeadlineMs);
  try {
    await Promise.race([
      check(signal),
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error(`no answer in ${checkDeadlineMs} ms`)));
      }),
    ]);
    return 'ok';
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    return message === '' ? 'failed' : message.slice(0, 200);
  }
}

/** `/healthz` says that the process runs, `/readyz` that what it needs answers: 200, or 503 with Retry-After. */
export function healthRoutes(checks: ReadinessChecks): Router {
  const router = Router();
  router.get('/healthz', (_req, res) => {
    res.json({ status: 'ok' });
  });
  router.get('/readyz', async (req, res) => {
    const entries = Object.entries(checks).map(
      async ([name, check]) => [name, await outcome(check)] as const,
    );
    const results = Object.fromEntries(await Promise.all(entries));
    const { stopping } = appStateOf(req);
    const ready = !stopping && Object.values(results).every((result) => result === 'ok');
    if (!ready) res.status(503).set('Retry-After', '1');
    res.json({ status: ready ? 'ready' : stopping ? 'stopping' : 'not_ready', checks: results });
  });
  return router;
}
