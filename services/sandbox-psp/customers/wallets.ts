import type { Metadata, PaymentIntent } from '../paymentIntent';
import { isTestToken } from '../testCards';

/** A Customer as the sandbox keeps it (https://docs.stripe.com/api/customers/object; `shape.ts` adds the rest). */
export interface Customer {
  readonly id: string;
  readonly object: 'customer';
  readonly created: number;
  readonly description: string | null;
  readonly metadata: Metadata;
  readonly deleted?: true;
}

/** A card, and whose it is. */
export interface PaymentMethod {
  readonly id: string;
  readonly object: 'payment_method';
  readonly created: number;
  readonly customer: string | null;
}

/** Customers and their cards, and the cards that are used up: a part of the books. */
export class Wallets {
  private readonly customers = new Map<string, Customer>();
  private readonly attached = new Map<string, PaymentMethod>();
  private readonly usedUp = new Set<string>();

  customer = (id: string): Customer | undefined => this.customers.get(id);
  method = (id: string): PaymentMethod | undefined => this.attached.get(id);
  /** It was charged without a customer, or its customer is gone. */
  isUsedUp = (methodId: string): boolean => this.usedUp.has(methodId);

  // Both newest first, as Stripe lists.
  allCustomers = (): Customer[] => [...this.customers.values()].filter(({ deleted }) => !deleted).reverse();
  methodsOf = (customerId: string): PaymentMethod[] =>
    [...this.attached.values()].filter(({ customer }) => customer === customerId).reverse();

  putCustomer(customer: Customer): void {
    this.customers.set(customer.id, customer);
    if (!customer.deleted) return;
    for (const { id } of this.methodsOf(customer.id)) {
      this.attached.delete(id);
      this.usedUp.add(id);
    }
  }

  putMethod(method: PaymentMethod): void {
    this.attached.set(method.id, method);
  }

  /** A card that nobody owns is used up by the first charge that is tried. */
  note({ payment_method, last_payment_error: error, latest_charge, next_action }: PaymentIntent): void {
    const method = payment_method ?? error?.payment_method;
    if (method === undefined || (latest_charge === null && next_action === null)) return;
    if (!isTestToken(method) && !this.attached.has(method)) this.usedUp.add(method);
  }
}
