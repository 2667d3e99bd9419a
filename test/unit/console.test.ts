import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createLogger } from '../../platform/log';
import { projectRoot } from '../../platform/root';
import { guardProblems, hostsIn, notCrossSite, onlyAt } from '../../services/console/guard';
import { renderPage, type ConsoleState } from '../../services/console/page';
import { consoleRoutes } from '../../services/console/routes';
import { httpServers } from '../support/httpServers';

const serve = httpServers(createLogger('test', 'fatal', { write: () => {} }));

const state: ConsoleState = {
  overview: {
    value: {
      ridesByStatus: { scheduled: 5, matching: 3, completed: 41 },
      drivers: { online: 7, onRide: 2, offline: 1 },
    },
  },
  needs: {
    value: {
      payments: [
        {
          ...{ rideId: '01a200c0-97cd-72ad-986e-2cd93ba3703a', workflowId: 'payment-1', need: 'owed' },
          ...{ status: 'captured', isStuck: true, currency: 'USD', owedMinor: 250, refundFailedMinor: 0 },
          ...{ since: '2026-01-01T12:00:00.000Z', reason: 'card_<declined>', action: 'waive it' },
        },
      ],
      next: null,
      incomplete: false,
    },
  },
  demand: {
    value: {
      cells: [
        {
          ...{ cell: '882a100d2bfffff', minute: '2026-01-01T12:00:00.000Z' },
          ...{ requested: 5, completed: 4, cancelled: 1, noDriver: 0, assigned: 4, freed: 3 },
        },
      ],
      late: 0,
    },
  },
  links: [['Workflows', 'http://127.0.0.1:8243/?a=1&b=2']],
  at: '2026-01-01T12:00:30.000Z',
};

describe('the console', () => {
  test('shows rides by status, drivers, demand and links', () => {
    const page = renderPage(state);
    expect(page).toContain('<td>scheduled</td><td class="n">5</td>');
    expect(page).toContain('<td>matching</td><td class="n">3</td>');
    expect(page).toContain('<td>in_progress</td><td class="n">0</td>');
    expect(page).toContain('<td>on a ride</td><td class="n">2</td>');
    expect(page).toContain('<td>882a100d2bfffff</td><td class="n">5</td>');
    expect(page).toContain('<a href="http://127.0.0.1:8243/?a=1&amp;b=2">Workflows</a>');
  });

  test('shows the payments that need somebody, and that none does', () => {
    const page = renderPage(state);
    expect(page).toContain('<td>01a200c0-97cd-72ad-986e-2cd93ba3703a</td><td>the rider owes');
    expect(page).toContain('<td>USD 2.50</td><td>card_&lt;declined&gt;</td>');
    expect(page).not.toContain('And more');
    const none = { value: { payments: [], next: null, incomplete: false } };
    expect(renderPage({ ...state, needs: none })).toContain('<p>None.</p>');
  });

  test('says what is not available, and shows the rest', () => {
    const page = renderPage({ ...state, demand: { missing: 'analytics is not <available>' } });
    expect(page).toContain('Not available: analytics is not &lt;available&gt;');
    expect(page).toContain('<td>completed</td><td class="n">41</td>');
  });

  test('serves the catalogue of facts beside its page, and nothing else of the folder above', async () => {
    const catalogueDir = join(projectRoot(), 'docs', 'catalogue');
    const gateway = { call: () => Promise.reject(new Error('away')) };
    const { url } = await serve({
      routes: (router) => consoleRoutes(router, { gateway, links: [], catalogueDir }),
    });
    const page = await fetch(`${url}/catalogue/ride.html#ride.requested`);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await page.text()).toContain('<h2 id="ride.requested">');
    expect(await (await fetch(`${url}/catalogue/`)).text()).toContain('Every fact, in its newest version');
    expect(await (await fetch(`${url}/catalogue/..%2fasyncapi.json`)).text()).not.toContain('asyncapi"');
  });

  test('answers at addresses and names of its own, and gives other sites’ pages no data', async () => {
    const { port } = await serve({
      problems: guardProblems,
      routes: (router) => {
        router.use(onlyAt(hostsIn(' Ops.example,')));
        router.get('/', (_req, res) => void res.send('page'));
        router.get('/data', notCrossSite, (_req, res) => void res.send('data'));
      },
    });
    const ask = async (path: string, headers: Record<string, string>) => {
      const [answer] = (await once(get({ port, path, headers }), 'response')) as [IncomingMessage];
      return [answer.statusCode, await text(answer)];
    };
    for (const host of ['localhost', '127.0.0.1:8087', '10.0.0.7', '[::1]:8087', 'OPS.example:80'])
      expect([host, ...(await ask('/', { host }))]).toEqual([host, 200, 'page']);
    for (const host of ['evil.example', 'ops.example.evil', '127.0.0.1.evil:8087', 'x-ops.example']) {
      const [status, body] = await ask('/data', { host });
      expect([host, status, body]).toEqual([host, 421, expect.stringContaining('host_unknown')]);
    }
    const from = (site: string) => ({ host: 'localhost', 'sec-fetch-site': site });
    expect(await ask('/data', from('same-origin'))).toEqual([200, 'data']);
    expect(await ask('/data', from('cross-site'))).toEqual([403, expect.stringContaining('cross_site')]);
    expect((await ask('/', from('cross-site')))[0]).toBe(200);
  });
});
