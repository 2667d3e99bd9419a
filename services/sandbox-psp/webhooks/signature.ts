import { createHmac } from 'node:crypto';

/**
 * The value of `Stripe-Signature` (https://docs.stripe.com/webhooks#verify-manually): `t=<unix seconds>,v1=<hex>`, the
 * HMAC-SHA256 of `<t>.<body>` by the endpoint's secret.
 */
export function stripeSignature(secret: string, atMs: number, body: string): string {
  const t = Math.floor(atMs / 1_000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}
