import { CancellationScope, condition, sleep, upsertSearchAttributes } from '@temporalio/workflow';
import { money } from '../domain/money';
import { searchAttributes } from '../domain/names';
import type { Payment } from '../domain/payment';
import type { Policies } from '../domain/policies';
import { paymentWaits, type PaymentWait } from '../domain/stuck';
import { Card, type Parked } from './card';
import { now } from './now';

/** Something that a payment does with others' help, for as long as it takes. */
interface Doing {
  readonly waitsFor: string;
  readonly since: string;
  readonly action: string;
  failed: boolean;
  late: boolean;
}

/** What an operator sees of a payment in Temporal's web UI: its card, and whether it is stuck. */
export class PaymentView {
  private readonly card = new Card();
  private payment: Payment | null = null;
  private story = { waitsFor: 'its first step', since: now() };
  private readonly underWay: Doing[] = [];
  private shownStuck = false;

  constructor(private readonly policies: Policies) {}

  /** After every fact. */
  show(payment: Payment): void {
    this.payment = payment;
    this.tell();
  }

  /** What the payment waits for from now on, when nothing else is under way. */
  waits(waitsFor: string): void {
    this.story = { waitsFor, since: now() };
    this.tell();
  }

  /** Something under way did not succeed at once and is tried again. */
  failed(what: string, error: unknown): void {
    const doing = this.underWay.at(-1);
    if (doing) doing.failed = true;
    this.card.failed(what, error);
    this.tell();
  }

  /** Nothing goes on before an operator has spoken; null when that has happened. */
  park(parked: Parked | null): void {
    this.card.park(parked);
    this.tell();
  }

  /**
   * Shows what is waited for while a task goes on, and that it is stuck where it fails and takes longer than it may. A
   * task that does not fail costs no timer.
   */
  async during<T>(wait: PaymentWait, what: string, task: () => Promise<T>): Promise<T> {
    const { for: whom, limitMs, action } = paymentWaits[wait];
    const doing: Doing = { waitsFor: `${whom}: ${what}`, since: now(), action, failed: false, late: false };
    const lateAtMs = Date.now() + limitMs(this.policies);
    const looking = new CancellationScope();
    const look = async (): Promise<void> => {
      await condition(() => doing.failed);
      await sleep(Math.max(1, lateAtMs - Date.now()), { summary: 'look whether the payment is stuck' });
      doing.late = true;
      this.tell();
    };
    this.underWay.push(doing);
    looking.run(look).catch(() => undefined);
    this.tell();
    try {
      return await task();
    } finally {
      looking.cancel();
      this.underWay.splice(this.underWay.indexOf(doing), 1);
      this.tell();
    }
  }

  private tell(): void {
    const late = this.underWay.find((doing) => doing.late);
    const doing = late ?? this.underWay.at(-1);
    const stuck = this.card.isParked || late !== undefined;
    if (stuck !== this.shownStuck) upsertSearchAttributes([{ key: searchAttributes.stuck, value: stuck }]);
    this.shownStuck = stuck;
    const { waitsFor, since } = doing ?? this.story;
    this.card.show({
      where: this.payment?.status ?? 'opening',
      version: this.payment?.version ?? 0,
      since,
      waitsFor,
      about: this.payment === null ? 'nothing is asked for yet' : moneyOf(this.payment),
      next: late?.action ?? 'nothing to do',
    });
  }
}

function moneyOf({ amountMinor, currency, method, intentId, capturedMinor }: Payment): string {
  const held = `${method.type}: ${money(amountMinor, currency)}`;
  const captured = capturedMinor > 0 ? `; captured: ${money(capturedMinor, currency)}` : '';
  return `${held}${captured}; at the provider: ${intentId === null ? 'none' : `\`${intentId}\``}`;
}
