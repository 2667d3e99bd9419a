import { join } from 'node:path';
import express from 'express';
import { portVariable } from '../../platform/config';
import { listen } from '../../platform/http';
import { runProcess } from '../../platform/shutdown';
import { createSandboxPsp, type SandboxPsp } from './app';

runProcess('sandbox-psp', async ({ config, fail }) => {
  let psp: SandboxPsp | null = null;
  const front = express();
  front.disable('x-powered-by');
  front.use((req, res, next) => {
    if (psp === null) res.status(503).set('Retry-After', '1').json({ status: 'starting' });
    else psp.app(req, res, next);
  });
  // The port comes first: whoever holds it is the one process that opens this journal.
  const server = await listen(front, {
    port: config.HAILWAY_SANDBOX_PSP_PORT,
    portVariable: portVariable('sandbox-psp'),
    host: config.HAILWAY_HOST,
  });
  const secret = config.STRIPE_WEBHOOK_SECRET;
  psp = createSandboxPsp({
    dataDir: join(config.HAILWAY_DATA_DIR, 'sandbox-psp'),
    webhooks: secret === '' ? null : { url: config.SANDBOX_WEBHOOK_URL, secret },
    publicUrl: config.SANDBOX_PUBLIC_URL || null,
    onFailure: fail,
  });
  return async () => {
    await server.close();
    await psp?.close();
  };
});
