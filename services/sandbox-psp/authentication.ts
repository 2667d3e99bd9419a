import type { NextAction, PaymentIntent } from './paymentIntent';
import type { Card } from './testCards';

/** Whether the rider's bank wants to see the rider before it lets this card be charged. */
export const needsAuthentication = (card: Card, { off_session }: { off_session?: boolean }): boolean =>
  card.authenticated === 'always' || (card.authenticated === 'on_session' && off_session !== true);

/** Where the rider is sent: to the sandbox's page, which stands for the bank's. */
export function nextAction(
  { id, client_secret }: PaymentIntent,
  { baseUrl, returnUrl }: { baseUrl: string; returnUrl?: string },
): NextAction {
  const page = `/sandbox/authenticate/${id}?payment_intent_client_secret=${client_secret}`;
  const url = new URL(page, baseUrl).href;
  return returnUrl === undefined
    ? { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url } }
    : { type: 'redirect_to_url', redirect_to_url: { return_url: returnUrl, url } };
}

/** Where the page sends the rider when they have answered, as Stripe adds to it; null where nobody said. */
export function returnAddress(intent: PaymentIntent, outcome: 'succeeded' | 'failed'): string | null {
  if (intent.next_action?.type !== 'redirect_to_url') return null;
  const url = new URL(intent.next_action.redirect_to_url.return_url);
  url.searchParams.set('payment_intent', intent.id);
  url.searchParams.set('payment_intent_client_secret', intent.client_secret);
  url.searchParams.set('redirect_status', outcome);
  return url.href;
}

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** The bank's page in small: what is to be paid, yes and no. */
export function authenticationPage(intent: PaymentIntent): string {
  const { amount, currency, client_secret } = intent;
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const fraction = format.resolvedOptions().maximumFractionDigits ?? 2;
  const money = format.format(amount / 10 ** fraction);
  const answer = (outcome: string, words: string): string =>
    `<button name="outcome" value="${outcome}">${words}</button>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Your bank asks</title>
<style>body{font:1.1rem system-ui;margin:4rem auto;max-width:26rem;padding:0 1rem}button{font:inherit;margin-right:1rem;padding:.5rem 1rem}</style>
<h1>Is it you?</h1>
<p>Hailway wants to take up to <b>${escaped(money)}</b> from your card. This page stands for that of your bank.</p>
<form method="post">
<input type="hidden" name="payment_intent_client_secret" value="${escaped(client_secret)}">
${answer('succeeded', 'Yes, pay')}
${answer('failed', 'No')}
</form>
</html>
`;
}
