import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Pool } from '../../platform/postgres';
import { chargeCard } from '../../services/payments/provider/intents';
import { openPayment, paymentOrder, paymentsDatabase, providerAccess } from '../support/payments';

let pool: Pool;
let server: Server;
let code: string;

/** A provider that refuses whatever it is asked, as the test says. */
beforeAll(async () => {
  pool = await paymentsDatabase();
  server = createServer((_req, res) => {
    res.writeHead(400, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ error: { type: 'invalid_request_error', code, message: 'No.' } }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
afterAll(async () => {
  await new Promise((closed) => server.close(closed));
  await pool.end();
});

async function charge() {
  const order = paymentOrder();
  await openPayment(pool, order);
  const { rideId, amountMinor, currency } = order;
  const { port } = server.address() as AddressInfo;
  const ref = { paymentId: rideId, purpose: 'tip', intentVersion: 1 } as const;
  const access = providerAccess(pool, `http://127.0.0.1:${port}`);
  return chargeCard(access, { ref, amountMinor, currency, paymentMethod: 'pm_card_visa' });
}

test('a charge that the provider refuses for good is one that was declined: nobody asks for ever', async () => {
  code = 'account_invalid';
  expect(await charge()).toEqual({ charged: false, reason: 'account_invalid' });
});

test.each(['payment_intent_unexpected_state', 'resource_missing'])(
  'one that it refuses by %s may have come about: it is looked at again',
  async (said) => {
    code = said;
    await expect(charge()).rejects.toThrow('No.');
  },
);
