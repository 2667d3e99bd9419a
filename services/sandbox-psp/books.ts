import { isTaken, waitsForEvidence, type Dispute } from './disputes/dispute';
import { Errands } from './errands';
import { charge, type Charge } from './charge';
import { Wallets, type Customer, type PaymentMethod } from './customers/wallets';
import { IdempotencyKeys, type StoredAnswer } from './idempotency';
import { checkedLedger, type Ledger } from './ledger';
import type { Movement } from './movements';
import { heldForMs, unixSeconds, type PaymentIntent } from './paymentIntent';
import { refundAnsweredAt, type Refund } from './refunds';
import type { Transfer } from './transfers/transfer';
import type { EventRecord, EventType, Posting, SandboxEvent } from './webhooks/events';

/** What something did to the books: the objects as they are now, and the money that moved. */
export interface Changes {
  readonly intent?: PaymentIntent;
  readonly refund?: Refund;
  readonly dispute?: Dispute;
  readonly transfer?: Transfer;
  readonly customer?: Customer;
  readonly method?: PaymentMethod;
  readonly movements?: readonly Movement[];
  /** How far the sandbox's clock is ahead of the machine's. */
  readonly clockAheadMs?: number;
}

/** The kinds of objects that a change may have. */
export const keptKinds = ['intent', 'refund', 'dispute', 'transfer', 'customer', 'method'] as const;

type Kept = (typeof keptKinds)[number];

/** An answer under a key; its body is the record's own object where it is the same. */
type AnswerRecord = Omit<StoredAnswer, 'body'> & { readonly body?: unknown; readonly bodyOf?: Kept };

/** One request that changed something or was answered under a key: the journal's line, all of it or nothing. */
export interface JournalRecord extends Changes {
  readonly v: 1;
  readonly at: string;
  /** Of the time when a record had one, and only captures and refunds. */
  readonly movement?: Omit<Movement, 'net' | 'source'>;
  readonly answer?: AnswerRecord;
  readonly events?: readonly EventRecord[];
  /** Events that need not be posted any more. */
  readonly posted?: readonly string[];
}

/** An event on its way to the endpoint. */
export interface Parcel {
  readonly event: SandboxEvent;
  readonly posting: Posting;
}

/** The latest ones; Stripe lists those of 30 days. */
const eventsListed = 10_000;

/** Everything the sandbox knows: the fold of its journal. */
export class Books {
  readonly keys = new IdempotencyKeys();
  /** What time will bring about. */
  readonly errands = new Errands();
  readonly wallets = new Wallets();
  /** In the order of what happened. */
  readonly parcels = new Map<string, Parcel>();
  clockAheadMs = 0;
  private readonly intents = new Map<string, PaymentIntent>();
  /** When the hold of an intent came about, in ms since 1970. */
  private readonly heldAtMs = new Map<string, number>();
  private readonly intentOfCharge = new Map<string, string>();
  private readonly refunds = new Map<string, Refund>();
  private readonly refundIds = new Map<string, string[]>();
  private readonly disputes = new Map<string, Dispute>();
  private readonly transfers = new Map<string, Transfer>();
  private readonly events = new Map<string, SandboxEvent>();
  private readonly movements: Movement[] = [];
  private readonly balances = new Map<string, number>();

  /** @throws Error for a record of another version. */
  apply(record: JournalRecord): void {
    if (record.v !== 1) throw new Error(`unknown record version ${String(record.v)}`);
    const { intent, refund, dispute, transfer, customer, method, answer } = record;
    if (intent) this.putIntent(intent, Date.parse(record.at));
    if (refund) this.putRefund(refund);
    if (dispute) this.putDispute(dispute);
    if (transfer) this.transfers.set(transfer.id, transfer);
    if (customer) this.wallets.putCustomer(customer);
    if (method) this.wallets.putMethod(method);
    this.clockAheadMs = record.clockAheadMs ?? this.clockAheadMs;
    for (const movement of movementsOf(record)) {
      this.movements.push(movement);
      this.balances.set(movement.currency, this.balanceMinor(movement.currency) + movement.net);
    }
    if (answer) {
      const { bodyOf, body, ...rest } = answer;
      this.keys.store({ ...rest, body: bodyOf ? record[bodyOf] : body }, new Date(record.at));
    }
    for (const event of record.events ?? []) this.putEvent(event, record);
    for (const id of record.posted ?? []) this.parcels.delete(id);
  }

  intent = (id: string): PaymentIntent | undefined => this.intents.get(id);
  refund = (id: string): Refund | undefined => this.refunds.get(id);
  dispute = (id: string): Dispute | undefined => this.disputes.get(id);
  transfer = (id: string): Transfer | undefined => this.transfers.get(id);
  event = (id: string): SandboxEvent | undefined => this.events.get(id);

  // All of these newest first, as Stripe lists.
  allIntents = (): PaymentIntent[] => [...this.intents.values()].reverse();
  allRefunds = (): Refund[] => [...this.refunds.values()].reverse();
  allDisputes = (): Dispute[] => [...this.disputes.values()].reverse();
  allTransfers = (): Transfer[] => [...this.transfers.values()].reverse();
  allEvents = (): SandboxEvent[] => [...this.events.values()].reverse();

  /** The charge of this id, if it is the latest of its intent. */
  charge(id: string): Charge | undefined {
    const intent = this.intents.get(this.intentOfCharge.get(id) ?? '');
    return intent?.latest_charge === id ? this.chargeOf(intent) : undefined;
  }

  /** The latest charge of an intent. */
  chargeOf(intent: PaymentIntent): Charge | undefined {
    if (intent.latest_charge === null) return undefined;
    const heldAtMs = this.heldAtMs.get(intent.id);
    return charge(intent, {
      refundedMinor: this.refundedMinor(intent.id),
      disputed: this.disputesOf(intent.id).length > 0,
      captureBefore: heldAtMs === undefined ? undefined : unixSeconds(new Date(heldAtMs + heldForMs(intent))),
    });
  }

  /** Newest first. */
  refundsOf(intentId: string): Refund[] {
    const ids = this.refundIds.get(intentId) ?? [];
    return ids.flatMap((id) => this.refunds.get(id) ?? []).reverse();
  }

  /** What was given back of an intent and did not come back to us. */
  refundedMinor(intentId: string): number {
    return this.refundsOf(intentId)
      .filter(({ status }) => status !== 'failed')
      .reduce((sum, { amount }) => sum + amount, 0);
  }

  disputesOf(intentId: string): Dispute[] {
    return [...this.disputes.values()].filter((dispute) => dispute.payment_intent === intentId);
  }

  /** What is left of a captured intent for a bank to take back. */
  disputableMinor({ id, amount_received }: PaymentIntent): number {
    const disputes = this.disputesOf(id).filter(isTaken);
    return disputes.reduce((left, { amount }) => left - amount, amount_received - this.refundedMinor(id));
  }

  /** What we could pay out, of an ISO 4217 currency in upper case. */
  balanceMinor(currency: string): number {
    return this.balances.get(currency) ?? 0;
  }

  currencies(): string[] {
    return [...this.balances.keys()];
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

  /** Totals by currency from the movements, held against what the objects say for themselves. */
  ledger(): Ledger {
    return checkedLedger({
      movements: this.movements,
      intents: this.intents.values(),
      refunds: this.refunds.values(),
      disputes: this.disputes.values(),
      transfers: this.transfers.values(),
    });
  }

  private putIntent(intent: PaymentIntent, atMs: number): void {
    const { id, latest_charge, status } = intent;
    if (status === 'requires_capture' && this.intents.get(id)?.latest_charge !== latest_charge)
      this.heldAtMs.set(id, atMs);
    this.intents.set(id, intent);
    this.wallets.note(intent);
    if (latest_charge !== null) this.intentOfCharge.set(latest_charge, id);
    const heldAtMs = this.heldAtMs.get(id) ?? atMs;
    this.errands.set(id, status === 'requires_capture' ? heldAtMs + heldForMs(intent) : null);
  }

  private putRefund(refund: Refund): void {
    const { id, payment_intent } = refund;
    if (!this.refunds.has(id))
      this.refundIds.set(payment_intent, [...(this.refundIds.get(payment_intent) ?? []), id]);
    this.refunds.set(id, refund);
    const intent = this.intents.get(payment_intent);
    this.errands.set(id, intent === undefined ? null : refundAnsweredAt(refund, intent));
  }

  private putDispute(dispute: Dispute): void {
    this.disputes.set(dispute.id, dispute);
    this.errands.set(dispute.id, waitsForEvidence(dispute) ? dispute.due_by * 1_000 : null);
  }

  private putEvent({ id, type, posting, request }: EventRecord, record: JournalRecord): void {
    const created = unixSeconds(new Date(record.at));
    const event: SandboxEvent = { id, type, created, request, object: this.objectOf(type, record) };
    this.events.set(id, event);
    const [oldest] = this.events.keys();
    if (this.events.size > eventsListed && oldest !== undefined) this.events.delete(oldest);
    if (posting) this.parcels.set(id, { event, posting });
  }

  private objectOf(type: EventType, { intent, refund, dispute, transfer }: JournalRecord): object {
    if (type === 'charge.refunded')
      return this.chargeOf(this.intents.get(refund?.payment_intent ?? '') as PaymentIntent) as Charge;
    const shown = type.startsWith('payment_intent.')
      ? intent
      : type.startsWith('refund.')
        ? refund
        : type.startsWith('transfer.')
          ? transfer
          : dispute;
    if (shown === undefined) throw new Error(`impossible: ${type} without its object`);
    return shown;
  }
}

/** A record's movements; those of old journals know neither their source nor their sign. */
function movementsOf({ movements = [], movement, refund }: JournalRecord): readonly Movement[] {
  if (movement === undefined) return movements;
  const { kind, amount, paymentIntent } = movement;
  return kind === 'capture'
    ? [{ ...movement, source: paymentIntent ?? '', net: amount }]
    : [{ ...movement, source: refund?.id ?? '', net: -amount }];
}
