import { balancesView } from '../../contracts/api/ledger';
import { createTemporalClient } from '../../platform/temporal';
import { withTransaction, type Pool } from '../../platform/postgres';
import { book } from '../../services/payments/books/ledger';
import { paymentOverviewRoutes } from '../../services/payments/routes/overviewRoutes';
import { balanceLines } from '../../tools/cli/balances';
import { fareBooking, paymentsDatabase } from '../support/payments';
import { serveRoutes, type ServedRoutes } from '../support/routes';

let pool: Pool;
let routes: ServedRoutes;
// Nobody is there: the books need no workflow.
const temporal = createTemporalClient({ address: '127.0.0.1:9', namespace: 'default' });

beforeAll(async () => {
  pool = await paymentsDatabase();
  routes = await serveRoutes('ops-1', (mount) =>
    paymentOverviewRoutes(mount, { payments: pool, temporal, deadlineMs: 100, now: Date.now }),
  );
  const fare = (driver: string, currency: string, recordedAt: string, amountMinor: number) =>
    withTransaction(pool, (tx) =>
      book(
        tx,
        fareBooking({
          recordedAt,
          entries: [
            { account: 'provider_clearing', amountMinor, currency },
            { account: `driver_payable:${driver}`, amountMinor: 100 - amountMinor, currency },
            { account: 'platform_revenue', amountMinor: -100, currency },
          ],
        }),
      ),
    );
  await fare('driver-1', 'USD', '2026-01-31T23:59:59.000Z', 1_500);
  await fare('driver-2', 'USD', '2026-01-31T23:59:59.900Z', 2_500);
  await fare('driver-2', 'JPY', '2026-01-31T23:59:59.900Z', 900);
  await fare('driver-3', 'USD', '2026-02-01T00:00:00.001Z', 4_100);
});
afterAll(async () => {
  await routes?.close();
  await temporal.connection.close();
  await pool?.end();
});

const get = (query: string) => routes.call('GET', `/v1/ops/ledger/balances${query}`);

/** `account currency amount accounts` of each line of a page. */
async function lines(query: string): Promise<{ lines: string[]; next: string | null }> {
  const { status, body } = await get(query);
  expect(status).toBe(200);
  const { balances, next } = balancesView.parse(body);
  return {
    lines: balances.map(({ account, currency, amountMinor, accounts }) =>
      [account, currency, amountMinor, accounts].join(' '),
    ),
    next,
  };
}

test('what each kind of account holds, the drivers together', async () => {
  expect(await lines('')).toEqual({
    lines: [
      'driver_payable JPY -800 1',
      'driver_payable USD -7800 3',
      'platform_revenue JPY -100 1',
      'platform_revenue USD -300 1',
      'provider_clearing JPY 900 1',
      'provider_clearing USD 8100 1',
    ],
    next: null,
  });
});

test('at a time, by the times of the bookings', async () => {
  const { lines: then } = await lines('?at=2026-02-01T00:00:00.000Z');
  expect(then).toContain('driver_payable USD -3800 2');
  expect(then).toContain('provider_clearing USD 4000 1');
  const { lines: before } = await lines('?account=driver_payable:driver-2&at=2026-01-31T23:59:59.000Z');
  expect(before).toEqual(['driver_payable:driver-2 JPY 0 0', 'driver_payable:driver-2 USD 0 0']);
});

test('each account of a kind, page by page, an account whole', async () => {
  const first = await lines('?account=driver_payable&limit=2');
  expect(first).toEqual({
    lines: [
      'driver_payable:driver-1 USD -1400 1',
      'driver_payable:driver-2 JPY -800 1',
      'driver_payable:driver-2 USD -2400 1',
    ],
    next: 'driver_payable:driver-2',
  });
  expect(await lines(`?account=driver_payable&limit=2&after=${first.next}`)).toEqual({
    lines: ['driver_payable:driver-3 USD -4000 1'],
    next: null,
  });
});

test('one account, and one that there is not', async () => {
  expect(await lines('?account=platform_revenue')).toMatchObject({
    lines: ['platform_revenue JPY -100 1', 'platform_revenue USD -300 1'],
  });
  expect(await lines('?account=driver_payable:driver')).toEqual({ lines: [], next: null });
});

test('the command prints a line for each, as debits and credits', async () => {
  const printed: string[] = [];
  for await (const line of balanceLines({ apiUrl: routes.url, token: '' }, {})) printed.push(line);
  expect(printed.map((line) => line.split(/\s+/).join(' '))).toEqual([
    'driver_payable JPY 800 credit',
    'driver_payable USD 78.00 credit (3 accounts)',
    'platform_revenue JPY 100 credit',
    'platform_revenue USD 3.00 credit',
    'provider_clearing JPY 900 debit',
    'provider_clearing USD 81.00 debit',
  ]);
});

test.each(['?account=Driver', '?at=yesterday', '?limit=0', '?limit=501', "?account=x'--", '?of=all'])(
  '%s is refused',
  async (query) => {
    expect(await get(query)).toMatchObject({ status: 400 });
  },
);
