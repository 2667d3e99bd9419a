import type { Books, Parcel } from '../books';
import type { Journal } from '../journal';
import { asStripe } from '../shape';
import { stripeSignature } from './signature';

/** Where events are posted to, and the secret that they are signed with. */
export interface WebhookEndpoint {
  readonly url: string;
  readonly secret: string;
}

interface CourierOptions {
  readonly books: Books;
  readonly journal: Journal;
  readonly clock: () => Date;
  /** null: nothing is posted. */
  readonly endpoint: WebhookEndpoint | null;
  /** The first pause after a failure; each further one is twice as long, up to a minute. */
  readonly firstPauseMs?: number | undefined;
}

const width = 16;
const longestPauseMs = 60_000;
const answerTimeoutMs = 10_000;
const givenUpAfterMs = 3 * 24 * 60 * 60 * 1_000;
/** How often what waits for the sandbox's clock is looked at. */
const clockLookMs = 100;

/**
 * Posts events until the endpoint has taken them, or for three days: many at once, one at a time while it fails. At
 * least once each, in no order that anybody may count on, as at Stripe.
 */
export class Courier {
  private readonly closing = new AbortController();
  private readonly underWay = new Set<string>();
  /** How often those were posted that are to be posted more than once. */
  private readonly copiesPosted = new Map<string, number>();
  /** Events that were held back until a younger one was posted, which it was. */
  private readonly overtaken = new Set<string>();
  private failures = 0;
  private pausedUntilMs = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly options: CourierOptions) {}

  get hasEndpoint(): boolean {
    return this.options.endpoint !== null;
  }

  /** Posts what is due. Call it when there may be something new. */
  look(): void {
    const { books } = this.options;
    if (this.options.endpoint === null || this.closing.signal.aborted || books.parcels.size === 0) return;
    const pauseMs = this.pausedUntilMs - Date.now();
    if (pauseMs > 0) return this.lookIn(pauseMs);
    const most = this.failures > 0 ? 1 : width;
    for (const [id, parcel] of books.parcels) {
      if (this.underWay.size >= most) return;
      if (!this.underWay.has(id) && this.isDue(parcel)) void this.deliver(id, parcel, this.options.endpoint);
    }
    if (this.underWay.size < books.parcels.size) this.lookIn(clockLookMs);
  }

  /** Posts nothing more. */
  close(): void {
    this.closing.abort();
    if (this.timer !== null) clearTimeout(this.timer);
  }

  private lookIn(ms: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.look();
    }, ms).unref();
  }

  private isDue({ posting, event }: Parcel): boolean {
    const { notBefore, heldBack } = posting;
    if (notBefore === undefined || Date.parse(notBefore) <= this.options.clock().getTime()) return true;
    return heldBack === true && this.overtaken.has(event.id);
  }

  private async deliver(id: string, parcel: Parcel, endpoint: WebhookEndpoint): Promise<void> {
    const { books, journal, clock, firstPauseMs = 1_000 } = this.options;
    this.underWay.add(id);
    const taken = await this.post(parcel, endpoint);
    this.underWay.delete(id);
    if (this.closing.signal.aborted) return;
    const now = clock();
    const givenUp = now.getTime() - dueMs(parcel) > givenUpAfterMs;
    if (taken) {
      this.failures = 0;
      this.letOvertakenGo(id);
    } else {
      this.pause(firstPauseMs);
      // To the end of the queue: one that is never taken does not hold up the others.
      if (!givenUp && books.parcels.delete(id)) books.parcels.set(id, parcel);
    }
    if (givenUp || (taken && this.isComplete(id, parcel))) {
      const record = { v: 1, at: now.toISOString(), posted: [id] } as const;
      books.apply(record);
      // Not waited for: an event whose end is lost is posted once more. A failure of the disk is told by the journal.
      journal.append(record).catch(() => undefined);
    }
    this.look();
  }

  /** Those that were under way together and failed together are one failure. */
  private pause(firstPauseMs: number): void {
    if (Date.now() < this.pausedUntilMs) return;
    this.pausedUntilMs = Date.now() + Math.min(firstPauseMs * 2 ** this.failures, longestPauseMs);
    this.failures += 1;
  }

  private isComplete(id: string, { posting: { copies = 1 } }: Parcel): boolean {
    const posted = (this.copiesPosted.get(id) ?? 0) + 1;
    if (posted < copies) this.copiesPosted.set(id, posted);
    else this.copiesPosted.delete(id);
    return posted >= copies;
  }

  /** What was held back when this one came about has been overtaken by it. */
  private letOvertakenGo(id: string): void {
    const { books } = this.options;
    this.overtaken.delete(id);
    const older = [...books.parcels].filter(([, { posting }]) => posting.heldBack === true);
    for (const [held, parcel] of older.reverse()) {
      if (held === id || this.overtaken.has(held)) continue;
      this.overtaken.add(held);
      books.parcels.delete(held);
      books.parcels.set(held, parcel);
    }
  }

  private async post({ event }: Parcel, { url, secret }: WebhookEndpoint): Promise<boolean> {
    const body = JSON.stringify(asStripe({ ...event, kind: 'event', pending: 1 }));
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
          // The real time of the post, whatever the sandbox's clock says: the receiver compares it with its own.
          'stripe-signature': stripeSignature(secret, Date.now(), body),
        },
        body,
        signal: AbortSignal.any([this.closing.signal, AbortSignal.timeout(answerTimeoutMs)]),
      });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }
}

const dueMs = ({ event, posting }: Parcel): number =>
  Math.max(event.created * 1_000, Date.parse(posting.notBefore ?? '') || 0);
