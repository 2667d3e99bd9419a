import { static as files, type Router } from 'express';
import { paymentNeedsView } from '../../contracts/api/needs';
import { demandView } from '../../contracts/api/analytics';
import { overviewView } from '../../contracts/api/ops';
import type { Client } from '../../platform/client';
import { renderPage, type ConsoleState, type Seen } from './page';

export interface ConsoleOptions {
  /** The public API, with a token of the role service. */
  readonly gateway: Client;
  readonly links: ConsoleState['links'];
  /** The folder with the generated pages of the catalogue of facts. */
  readonly catalogueDir: string;
}

const demandRows = 12;
const needRows = 10;

/** One page; what it cannot get it says, so that it is of use when other parts are down. Beside it the catalogue of facts. */
export function consoleRoutes(router: Router, { gateway, links, catalogueDir }: ConsoleOptions): void {
  router.use('/catalogue', files(catalogueDir));
  router.get('/', async (_req, res) => {
    const [overview, needs, demand] = await Promise.all([
      seen(gateway.call('GET', '/v1/ops/overview', { response: overviewView })),
      seen(
        gateway.call('GET', '/v1/ops/payments', { query: { limit: needRows }, response: paymentNeedsView }),
      ),
      seen(gateway.call('GET', '/v1/ops/demand', { query: { limit: demandRows }, response: demandView })),
    ]);
    const at = new Date().toISOString();
    res
      .set('Cache-Control', 'no-store')
      .type('html')
      .send(renderPage({ overview, needs, demand, links, at }));
  });
}

async function seen<T>(answer: Promise<T>): Promise<Seen<T>> {
  try {
    return { value: await answer };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}
