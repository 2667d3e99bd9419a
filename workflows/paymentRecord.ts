import { CancellationScope } from '@temporalio/workflow';
import type { PaymentTransitions } from '../activities/payments';
import { DomainError } from '../domain/errors';
import { stepId } from '../domain/names';
import { mayFollow, type Payment, type PaymentStatus } from '../domain/payment';
import { factsThatSettle } from '../domain/paymentCalls';
import {
  paymentSteps,
  type PaymentFact,
  type PaymentFactData,
  type PaymentFactType,
  type ProviderCall,
} from '../domain/paymentFacts';
import type { Policies } from '../domain/policies';
import { createLock } from './lock';
import { now } from './now';
import { PaymentView } from './paymentView';
import { ownDatabase } from './steps';

/** The payment as its workflow knows it, and the one way to change it. */
export class PaymentRecord {
  private current: Payment | null = null;
  /**
   * The version after this workflow's last step. The payment itself may be ahead: with steps of an attempt that was
   * lost, which are found again one by one.
   */
  private version = 0;
  private readonly oneAtATime = createLock();
  private readonly transitions = ownDatabase<PaymentTransitions>({
    onTrouble: (step, error) => this.operators.failed(step, error),
  });
  readonly operators: PaymentView;

  constructor(
    private readonly rideId: string,
    policies: Policies,
  ) {
    this.operators = new PaymentView(policies);
  }

  /** @throws DomainError `payment_busy` before it is opened: an Update can be that early */
  get payment(): Payment {
    if (this.current === null)
      throw new DomainError('payment_busy', 'The payment is only just being opened.');
    return this.current;
  }

  is(...statuses: PaymentStatus[]): boolean {
    return this.current !== null && statuses.includes(this.current.status);
  }

  /**
   * Records what happened, with its booking in the ledger, whoever cancels the workflow meanwhile. What an attempt of
   * this step that was lost has committed stands: where the fact no longer follows, the payment is as that left it.
   */
  async add<T extends PaymentFactType>(type: T, data: PaymentFactData[T]): Promise<Payment> {
    const fact = { type, at: now(), data } as PaymentFact;
    const record = () => this.operators.during('database', paymentSteps[type], () => this.record(fact));
    return CancellationScope.nonCancellable(() => this.oneAtATime(record));
  }

  /** What was in doubt about this call is known by now; does nothing where nothing was. */
  async resolve(call: ProviderCall, data: PaymentFactData['payment.resolved']): Promise<void> {
    if (this.current?.unresolved?.call === call) await this.add('payment.resolved', data);
  }

  private async record(fact: PaymentFact): Promise<Payment> {
    for (let isFirst = true; ; isFirst = false) {
      const isAhead = this.version < (this.current?.version ?? 0);
      if (!isAhead && this.settlesDoubt(fact)) {
        // Left by a call that was given up, or with its worker: what is recorded now is what it was not sure of.
        await this.commit({
          type: 'payment.resolved',
          at: fact.at,
          data: { by: 'provider', outcome: fact.type },
        });
      } else if (!isAhead && !mayFollow(this.current, fact.type)) {
        if (!isFirst) return this.payment;
        throw new Error(`impossible: ${fact.type} on a payment that is ${this.current?.status}`);
      } else if (await this.commit(fact)) return this.payment;
    }
  }

  /** Whether what is in doubt is known by this fact. */
  private settlesDoubt({ type }: PaymentFact): boolean {
    const call = this.current?.unresolved?.call;
    return call !== undefined && factsThatSettle[call].includes(type);
  }

  /** @returns whether the step took the version that is next for this workflow */
  private async commit(fact: PaymentFact): Promise<boolean> {
    const step = paymentSteps[fact.type];
    const expectedVersion = this.version;
    const recorded = await this.transitions[step]({
      stepId: stepId(this.rideId, step, expectedVersion),
      aggregateId: this.rideId,
      expectedVersion,
      fact,
    });
    this.current = recorded.state;
    this.operators.show(recorded.state);
    this.version = recorded.applied ? expectedVersion + 1 : recorded.state.version;
    return recorded.applied;
  }
}
