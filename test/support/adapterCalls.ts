import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** `client.refunds.create(` in the adapter's sources, as `refunds.create`. */
export function callsOfTheAdapter(): Set<string> {
  const dir = join(__dirname, '../../services/payments');
  const sources = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(dir, name), 'utf8'));
  const calls = sources.flatMap((source) => [...source.matchAll(/\bclient\s*\.(\w+)\s*\.(\w+)\(/g)]);
  return new Set(calls.map(([, resource, method]) => `${resource}.${method}`));
}

/** Where each call of the client goes, as Stripe describes it. */
export const endpoints: Readonly<Record<string, string>> = {
  'paymentIntents.create': 'POST /v1/payment_intents',
  'paymentIntents.retrieve': 'GET /v1/payment_intents/{intent}',
  'paymentIntents.confirm': 'POST /v1/payment_intents/{intent}/confirm',
  'paymentIntents.capture': 'POST /v1/payment_intents/{intent}/capture',
  'paymentIntents.cancel': 'POST /v1/payment_intents/{intent}/cancel',
  'paymentIntents.incrementAuthorization': 'POST /v1/payment_intents/{intent}/increment_authorization',
  'paymentIntents.list': 'GET /v1/payment_intents',
  'paymentIntents.search': 'GET /v1/payment_intents/search',
  'customers.create': 'POST /v1/customers',
  'paymentMethods.attach': 'POST /v1/payment_methods/{payment_method}/attach',
  'customers.retrievePaymentMethod': 'GET /v1/customers/{customer}/payment_methods/{payment_method}',
  'charges.retrieve': 'GET /v1/charges/{charge}',
  'refunds.create': 'POST /v1/refunds',
  'refunds.retrieve': 'GET /v1/refunds/{refund}',
  'refunds.list': 'GET /v1/refunds',
  'disputes.retrieve': 'GET /v1/disputes/{dispute}',
  'disputes.list': 'GET /v1/disputes',
  'disputes.update': 'POST /v1/disputes/{dispute}',
  'disputes.close': 'POST /v1/disputes/{dispute}/close',
  'transfers.create': 'POST /v1/transfers',
  'transfers.retrieve': 'GET /v1/transfers/{transfer}',
  'transfers.list': 'GET /v1/transfers',
  'transfers.createReversal': 'POST /v1/transfers/{id}/reversals',
  'balance.retrieve': 'GET /v1/balance',
  'events.list': 'GET /v1/events',
  'events.retrieve': 'GET /v1/events/{id}',
};

/** Members of answers. Stripe's fixtures have them; Stripe answers them to who expands them, or uses another side of Connect. */
export const onlyWhereAskedFor = new Set([
  'GET /v1/payment_intents/search: total_count',
  'GET /v1/charges/{charge}: refunds',
  'GET /v1/balance: connect_reserved',
]);
