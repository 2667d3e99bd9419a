import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { EventType, Posting } from './webhooks/events';

const times = z.int().positive().default(1);
/** 400 days at most: a fault of a webhook waits by the sandbox's clock. */
const delayMs = z
  .int()
  .nonnegative()
  .max(400 * 24 * 60 * 60 * 1_000);

/**
 * What goes wrong with a request. `before`: nothing has happened and no answer is stored, a repeat runs. `after`: the
 * effect stands and is durable; then the connection is cut (`drop_after`: the true answer is stored under the key), a
 * 500 is answered and stored under the key, or the answer is late (`hang_after`). `delay` waits before the effect,
 * with the key taken. `rate_limited` and `lock_timeout` are 429 with Retry-After. `declined` is the issuer's answer to
 * a confirmation, whatever the card.
 */
const requestFault = z.strictObject({
  match: z
    .strictObject({
      method: z.enum(['GET', 'POST']).optional(),
      /** A whole path; `*` stands for any characters in it. */
      path: z.string().startsWith('/').optional(),
    })
    .default({}),
  kind: z.enum([
    'error500_before',
    'error500_after',
    'drop_before',
    'drop_after',
    'delay',
    'hang_after',
    'unavailable',
    'rate_limited',
    'lock_timeout',
    'declined',
  ]),
  times,
  delayMs: delayMs.max(600_000).default(0),
  retryAfterSeconds: z.int().nonnegative().max(3_600).default(1),
  declineCode: z.string().default('generic_decline'),
});

/**
 * What goes wrong with an event's post: it never leaves, is posted twice, leaves `delayMs` later by the sandbox's
 * clock, or is held back until a younger one was posted (for a minute of that clock unless `delayMs` says otherwise).
 */
const webhookFault = z.strictObject({
  /** The event's type; `*` stands for any characters in it. */
  match: z.strictObject({ event: z.string().optional() }).default({}),
  kind: z.enum(['webhook_lost', 'webhook_doubled', 'webhook_delayed', 'webhook_reordered']),
  times,
  delayMs: delayMs.default(60_000),
});

export const faultSchema = z.discriminatedUnion('kind', [requestFault, webhookFault]);

export type RequestFault = z.output<typeof requestFault>;
type WebhookFault = z.output<typeof webhookFault>;
type Fault = RequestFault | WebhookFault;

const isOfWebhook = (fault: Fault): fault is WebhookFault => fault.kind.startsWith('webhook_');
const isOfRequest = (fault: Fault): fault is RequestFault => !isOfWebhook(fault);

/** Faults on demand, in memory. The first one that matches a request, or an event, is used up by one. */
export class Faults {
  private readonly closing = new AbortController();
  private waiting: { fault: Fault; left: number }[] = [];

  add(fault: Fault): void {
    this.waiting.push({ fault, left: fault.times });
  }

  clear(): void {
    this.waiting = [];
  }

  /** What has not happened yet. */
  list(): (Fault & { readonly left: number })[] {
    return this.waiting.map(({ fault, left }) => ({ ...fault, left }));
  }

  /** What goes wrong with this request, if anything does. */
  take(method: string, path: string): RequestFault | null {
    return this.use(
      (fault) => isOfRequest(fault) && meetsRequest(fault, method, path),
    ) as RequestFault | null;
  }

  /** How an event that comes about now is posted; null: it is lost. */
  postingOf(type: EventType, at: Date): Posting | null {
    const fault = this.use((one) => isOfWebhook(one) && fits(one.match.event, type)) as WebhookFault | null;
    if (fault === null) return {};
    const notBefore = new Date(at.getTime() + fault.delayMs).toISOString();
    switch (fault.kind) {
      case 'webhook_lost':
        return null;
      case 'webhook_doubled':
        return { copies: 2 };
      case 'webhook_delayed':
        return { notBefore };
      case 'webhook_reordered':
        return { notBefore, heldBack: true };
    }
  }

  /** Waits if the fault says so; rejects when the sandbox closes meanwhile. */
  async delay(fault: RequestFault | null, kind: 'delay' | 'hang_after'): Promise<void> {
    if (fault?.kind === kind) await sleep(fault.delayMs, undefined, { signal: this.closing.signal });
  }

  close(): void {
    this.closing.abort();
  }

  private use(isMeant: (fault: Fault) => boolean): Fault | null {
    const hit = this.waiting.find(({ fault }) => isMeant(fault));
    if (hit === undefined) return null;
    hit.left -= 1;
    if (hit.left === 0) this.waiting = this.waiting.filter((other) => other !== hit);
    return hit.fault;
  }
}

const meetsRequest = ({ match }: RequestFault, method: string, path: string): boolean =>
  (match.method ?? method) === method && fits(match.path, path);

function fits(pattern: string | undefined, text: string): boolean {
  if (pattern === undefined) return true;
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(text);
}
