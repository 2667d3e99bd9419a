import { IdempotencyKeys, type StoredAnswer } from './idempotency';
import type { PaymentIntent } from './paymentIntent';
import type { Refund } from './refunds';

/** Money that moved. Amount in minor units, ISO 4217 currency, ISO 8601 time. */
export interface Movement {
  readonly id: string;
  readonly kind: 'capture' | 'refund';
  readonly paymentIntent: string;
  /** `metadata.rideId` of the PaymentIntent. */
  readonly rideId: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly at: string;
}

/** One request that changed something or was answered under a key: the journal's line, all of it or nothing. */
export interface JournalRecord {
  readonly v: 1;
  readonly at: string;
  readonly intent?: PaymentIntent;
  readonly refund?: Refund;
  readonly movement?: Movement;
  readonly answer?: StoredAnswer;
}

interface Totals {
  authorizedOpenMinor: number;
  capturedMinor: number;
  refundedMinor: number;
}

/** Everything the sandbox knows: the fold of its journal. */
export class Books {
  readonly keys = new IdempotencyKeys();
  private readonly intents = new Map<string, PaymentIntent>();
  private readonly refunds = new Map<string, Refund>();
  private readonly movements: Movement[] = [];

  /** @throws Error for a record of another version. */
  apply(record: JournalRecord): void {
    if (record.v !== 1) throw new Error(`unknown record version ${String(record.v)}`);
    if (record.intent) this.intents.set(record.intent.id, record.intent);
    if (record.refund) this.refunds.set(record.refund.id, record.refund);
    if (record.movement) this.movements.push(record.movement);
    if (record.answer) this.keys.store(record.answer, new Date(record.at));
  }

  intent(id: string): PaymentIntent | undefined {
    return this.intents.get(id);
  }

  refund(id: string): Refund | undefined {
    return this.refunds.get(id);
  }

  /** Newest first, as Stripe lists. */
  allIntents(): PaymentIntent[] {
    return [...this.intents.values()].reverse();
  }

  /** Newest first. */
  allRefunds(): Refund[] {
    return [...this.refunds.values()].reverse();
  }

  refundedMinor(intentId: string): number {
    return sum([...this.refunds.values()].filter((refund) => refund.payment_intent === intentId));
  }

  /** Holds that nobody has captured or cancelled. */
  openAuthorizations(): object[] {
    return [...this.intents.values()]
      .filter((intent) => intent.status === 'requires_capture')
      .map((intent) => ({
        paymentIntent: intent.id,
        rideId: intent.metadata['rideId'] ?? null,
        amount: intent.amount_capturable,
        currency: intent.currency.toUpperCase(),
        createdAt: new Date(intent.created * 1000).toISOString(),
      }));
  }

  /** Totals by currency from the movements, held against what PaymentIntents and refunds say for themselves. */
  ledger(): { currencies: Record<string, Totals>; consistent: boolean; movements: readonly Movement[] } {
    const currencies: Record<string, Totals> = {};
    const totals = (currency: string): Totals =>
      (currencies[currency.toUpperCase()] ??= {
        authorizedOpenMinor: 0,
        capturedMinor: 0,
        refundedMinor: 0,
      });
    for (const movement of this.movements) {
      const field = movement.kind === 'capture' ? 'capturedMinor' : 'refundedMinor';
      totals(movement.currency)[field] += movement.amount;
    }
    for (const intent of this.intents.values()) {
      totals(intent.currency).authorizedOpenMinor += intent.amount_capturable;
    }
    return { currencies, consistent: this.consistent(), movements: [...this.movements] };
  }

  private consistent(): boolean {
    const expected = new Map<string, number>();
    for (const intent of this.intents.values()) expected.set(intent.id, intent.amount_received);
    for (const { payment_intent: id, amount } of this.refunds.values()) {
      expected.set(id, (expected.get(id) ?? 0) - amount);
    }
    for (const { kind, paymentIntent: id, amount } of this.movements) {
      expected.set(id, (expected.get(id) ?? 0) + (kind === 'capture' ? -amount : amount));
    }
    return [...expected.values()].every((rest) => rest === 0);
  }
}

function sum(items: readonly { readonly amount: number }[]): number {
  return items.reduce((total, item) => total + item.amount, 0);
}
