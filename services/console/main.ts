import { join } from 'node:path';
import { createClient } from '../../platform/client';
import { portVariable } from '../../platform/config';
import { createHttpApp, listen } from '../../platform/http';
import { projectRoot } from '../../platform/root';
import { runProcess } from '../../platform/shutdown';
import { consoleRoutes } from './routes';

/** Longer than the gateway waits for its own services, so that it can say which one is away. */
const GATEWAY_DEADLINE_MS = 4_000;

/** The operators' page. */
runProcess('console', async ({ config, log, metrics }) => {
  const gateway = createClient({
    name: 'gateway',
    baseUrl: config.GATEWAY_URL,
    token: config.HAILWAY_SERVICE_TOKEN,
    deadlineMs: GATEWAY_DEADLINE_MS,
    // One of two questions may be about a part that is away: that must not close the way for the other.
    breakAfter: 1_000,
    metrics,
  });
  const at = (path: string): string => new URL(path, config.GATEWAY_URL).href;
  const app = createHttpApp({
    log,
    metrics,
    ready: {},
    routes: (router) =>
      consoleRoutes(router, {
        gateway,
        catalogueDir: join(projectRoot(), 'docs', 'catalogue'),
        links: [
          ['Facts', '/catalogue/'],
          ['Workflows in Temporal', config.HAILWAY_TEMPORAL_UI_URL],
          ['API description', at('/openapi.json')],
          ['Problems', at('/problems')],
        ],
      }),
  });
  const server = await listen(app, {
    port: config.HAILWAY_CONSOLE_PORT,
    host: config.HAILWAY_HOST,
    portVariable: portVariable('console'),
  });
  return () => server.close();
});
