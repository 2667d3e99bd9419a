import { createHmac } from 'node:crypto';
import type { Notification } from './store';

/** Answers of other kinds than success are kept this far, for whoever looks for the reason. */
const MAX_ERROR_CHARACTERS = 300;

/**
 * The value of the header `hailway-signature`: `t=<seconds since 1970>,v1=<hex>`, where v1 is the HMAC-SHA256 of
 * `<t>.<body>`. Who receives it computes the same over the raw body, compares in constant time, refuses a `t` of
 * more than a few minutes ago, and keeps the ids it has seen: a webhook may come twice.
 */
export function signature(secret: string, atMs: number, body: string): string {
  const t = Math.floor(atMs / 1_000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}

export interface WebhookOptions {
  readonly url: string;
  readonly secret: string;
  readonly timeoutMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What the receiver answered; `status` null and an `error` when it did not. Never throws. */
export type Post = (notification: Notification) => Promise<{ status: number | null; error: string | null }>;

/** Posts notifications to one receiver. A redirect counts as a refusal: a signed body goes nowhere else. */
export function createWebhook({ url, secret, timeoutMs, now }: WebhookOptions): Post {
  return async (notification) => {
    const { id, factId, rideId, role, recipientId, channel, template, text, occurredAt } = notification;
    const recipient = { role, id: recipientId };
    const body = JSON.stringify({ id, factId, rideId, recipient, channel, template, text, occurredAt });
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'hailway-signature': signature(secret, now(), body) },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.body?.cancel();
      return { status: response.status, error: response.ok ? null : `answered ${response.status}` };
    } catch (error) {
      return { status: null, error: reasonOf(error).slice(0, MAX_ERROR_CHARACTERS) };
    }
  };
}

/** fetch says only that it failed; its cause says why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${error.message}${cause}`;
}
