import { createHttpApp, listen, type HttpAppOptions, type Listening } from '../../platform/http';
import type { Logger } from '../../platform/log';

/** Starts HTTP apps that log to `log`; those of a test are closed after it. */
export function httpServers(log: Logger): (options: Partial<HttpAppOptions>) => Promise<Listening> {
  const open: Listening[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()));
  });
  return async (options) => {
    const app = createHttpApp({ log, ready: {}, ...options });
    const server = await listen(app, { port: 0, portVariable: 'HAILWAY_GATEWAY_PORT', closeGraceMs: 200 });
    open.push(server);
    return server;
  };
}
