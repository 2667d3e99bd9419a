import { createLogger } from '../../platform/log';
import { createHttpApp, listen } from '../../platform/http';
import { httpServers } from '../support/httpServers';

const log = createLogger('test', 'debug', { write: () => {} });
const serve = httpServers(log);

describe('health', () => {
  it('says what does not answer', async () => {
    let broken = false;
    const server = await serve({
      ready: {
        postgres: async () => {},
        kafka: async () => {
          if (broken) throw new Error('no broker');
        },
      },
    });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${server.url}/readyz`)).json()).toEqual({
      status: 'ready',
      checks: { postgres: 'ok', kafka: 'ok' },
    });
    broken = true;
    const response = await fetch(`${server.url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      status: 'not_ready',
      checks: { postgres: 'ok', kafka: 'no broker' },
    });
  });
});

describe('listen', () => {
  it('names the variable that moves a taken port', async () => {
    const first = await serve({});
    const app = createHttpApp({ log, ready: {} });
    await expect(listen(app, { port: first.port, portVariable: 'HAILWAY_GATEWAY_PORT' })).rejects.toThrow(
      `port ${first.port} on 127.0.0.1 is taken: set HAILWAY_GATEWAY_PORT to a free port`,
    );
  });

  it('lets a request in flight finish, and closes within the grace whatever hangs', async () => {
    const server = await serve({
      routes: (router) => {
        router.get('/slow', async (_req, res) => {
          await new Promise((resolve) => setTimeout(resolve, 80));
          res.json({ done: true });
        });
        router.get('/never', () => new Promise(() => {}));
      },
    });
    const slow = fetch(`${server.url}/slow`);
    const never = fetch(`${server.url}/never`).catch(() => 'cut');
    await new Promise((resolve) => setTimeout(resolve, 30));
    const before = Date.now();
    await server.close();
    expect(await (await slow).json()).toEqual({ done: true });
    expect(await never).toBe('cut');
    expect(Date.now() - before).toBeLessThan(1_500);
  });
});
