import { Adjustments } from './adjustments';
import type { Policies } from '../domain/policies';
import type { PaymentRecord } from './paymentRecord';
import type { Provider } from './provider';
import { Refunds } from './refunds';
import { Settled } from './settled';
import { Tips } from './tips';

/** What can still happen to a payment when its ride is over, for as long as the policies say. */
export class AfterRide {
  private readonly settled: Settled;

  constructor(record: PaymentRecord, policies: Policies, provider: Provider) {
    this.settled = new Settled(record, policies);
    new Tips(this.settled, provider);
    new Adjustments(this.settled, provider, new Refunds(this.settled, provider));
  }

  /** Waits for as long as something can come. */
  window(): Promise<void> {
    return this.settled.window();
  }
}
