import { ledgerEntries, type Account, type LedgerEntry } from '../../domain/ledger';
import { foldPayment, mayFollow, type Payment } from '../../domain/payment';
import type { PaymentFact, PaymentFactData, PaymentFactType, PaymentOrder } from '../../domain/paymentFacts';
import { at } from './rides';

/** A payment's row and the ledger, as its facts make them; everything in memory. */
export class BooksOfStory {
  private state: Payment | null = null;
  private readonly ledger = new Map<string, number>();
  /** What kinds of facts there were. */
  readonly types = new Set<string>();

  constructor(order: PaymentOrder) {
    this.add('payment.opened', order);
  }

  get payment(): Payment {
    return this.state!;
  }

  may(type: PaymentFactType): boolean {
    return mayFollow(this.state, type);
  }

  add<T extends PaymentFactType>(type: T, data: PaymentFactData[T]): void {
    const fact = { type, at: at(0), data } as PaymentFact;
    this.state = foldPayment(this.state, fact);
    this.types.add(type);
    this.book(ledgerEntries(fact));
  }

  /** @throws Error for entries that do not balance */
  book(entries: readonly LedgerEntry[]): void {
    if (entries.reduce((sum, { amountMinor }) => sum + amountMinor, 0) !== 0)
      throw new Error('a booking does not balance');
    for (const { account, amountMinor } of entries)
      this.ledger.set(account, (this.ledger.get(account) ?? 0) + amountMinor);
  }

  balanceOf(account: Account): number {
    return this.ledger.get(account) ?? 0;
  }

  get sumMinor(): number {
    return [...this.ledger.values()].reduce((sum, amountMinor) => sum + amountMinor, 0);
  }
}
