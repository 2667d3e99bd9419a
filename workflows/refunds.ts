import { defineUpdate, setHandler } from '@temporalio/workflow';
import { DomainError } from '../domain/errors';
import { isChargeable, money } from '../domain/money';
import { isOfRefund, paymentUpdates } from '../domain/names';
import { refundFailed } from '../domain/paymentCalls';
import { refundableMinor, refundsOver, sumOf, type RefundPart } from '../domain/paymentPlan';
import { refundSettledData } from '../domain/operatorsWord';
import type { OperatorsWord, ProviderNews, Refund, RefundOrder } from '../domain/sagas';
import type { Provider } from './provider';
import { refusing } from './refusal';
import type { Settled } from './settled';
import { requireShape } from './updateArguments';

/** Of an operator, or of the house itself. */
type Order = Omit<RefundOrder, 'by'> & Partial<Pick<RefundOrder, 'by'>>;

/** What goes back for one key: planned once, so that what a repeat finds done is not done again. */
interface Plan {
  readonly order: Order;
  readonly parts: readonly RefundPart[];
  /** The provider's ids of the parts that have gone back. */
  readonly refundIds: string[];
  refund?: Refund;
}

export const lookAtRefunds = 'See whether a refund has failed, or was made beside the house';

/** Money that goes back to the rider: of what was charged last first, in as many refunds as there are charges. */
export class Refunds {
  private readonly plans = new Map<string, Plan>();
  /** How many refunds of a key were given and have failed: the next one is another refund. */
  private readonly failed = new Map<string, number>();

  constructor(
    private readonly settled: Settled,
    private readonly provider: Provider,
  ) {
    setHandler(
      defineUpdate<Refund, [RefundOrder]>(paymentUpdates.refund),
      (order) => this.settled.inTurn(() => this.give(byCaller(order))),
      {
        validator: (order: RefundOrder) =>
          refusing(() => {
            const shape = { refundKey: 'id', amountMinor: 'minor', reason: 'text', by: 'person' } as const;
            requireShape(paymentUpdates.refund, shape, order);
            if (!this.settled.isInDoubt && !this.known(byCaller(order))) this.mustTake(order);
            this.settled.refuseMore();
          }),
        description: 'Gives back part of what was captured, once for each refundKey',
      },
    );
  }

  /**
   * Gives an amount back, once for each key; call it undisturbed. Whoever has it given back has a prefix for their keys.
   * @throws DomainError `refund_not_possible`, where a part was refused: those before it have gone back, and the same key
   * goes on with the rest
   */
  async give(order: Order): Promise<Refund> {
    const plan = this.known(order) ?? this.plan(order);
    if (plan.refund) return plan.refund;
    try {
      for (const part of plan.parts.slice(plan.refundIds.length)) await this.givePart(plan, part);
    } catch (error) {
      // Nothing went back: the key may be used for another amount.
      if (plan.refundIds.length === 0) this.plans.delete(order.refundKey);
      throw error;
    }
    const { currency, refundedMinor } = this.settled.record.payment;
    const { amountMinor } = order;
    plan.refund = { refundId: plan.refundIds[0]!, amountMinor, refundedMinor, currency };
    return plan.refund;
  }

  /** News of a refund: what has failed by now is booked back, and can be given back anew; what others gave back is booked. */
  async hear(news: ProviderNews): Promise<void> {
    if (!isOfRefund(news)) return;
    const { record } = this.settled;
    await this.settled.undisturbed(async () => {
      if (!record.is('captured', 'partially_refunded', 'refunded')) return;
      const { rideId } = record.payment;
      for (const { type, data } of await this.provider.refundsThatDiffer(lookAtRefunds, rideId))
        await record.add(type, data);
    });
  }

  /**
   * An operator's word that the rider has otherwise what had failed to go back.
   * @throws ApplicationFailure `resolve_not_possible`
   */
  async settle(word: OperatorsWord): Promise<void> {
    const { record } = this.settled;
    await this.settled.undisturbed(() =>
      record.add('payment.refund_settled', refundSettledData(record.payment, word)),
    );
  }

  private plan(order: Order): Plan {
    this.mustTake(order);
    const plan: Plan = {
      order,
      parts: refundsOver(this.settled.record.payment, order.amountMinor),
      refundIds: [],
    };
    this.plans.set(order.refundKey, plan);
    return plan;
  }

  private async givePart(
    { order, parts, refundIds }: Plan,
    { intentId, amountMinor }: RefundPart,
  ): Promise<void> {
    const { record } = this.settled;
    const leftMinor = sumOf(parts.slice(refundIds.length + 1));
    const { rideId, currency } = record.payment;
    const { refundKey, reason, by } = order;
    const failed = this.failed.get(refundKey) ?? 0;
    const ask = {
      ...{ rideId, intentId, amountMinor, currency, part: refundIds.length + 1 },
      refundKey: failed === 0 ? refundKey : `${refundKey}/again/${failed}`,
    };
    const answer = await this.provider.refund(`Refund ${money(amountMinor, currency)}`, ask);
    if (!answer.refunded) {
      if (answer.reason === refundFailed) this.failed.set(refundKey, failed + 1);
      throw new DomainError('refund_not_possible', 'The provider does not give it back.', {
        reason: answer.reason,
        missingMinor: leftMinor + amountMinor,
      });
    }
    const { refundId } = answer;
    await record.add('payment.refunded', {
      ...{ refundId, amountMinor, currency, reason, intentId },
      ...(by === undefined ? {} : { operatorId: by }),
      ...inFacts(refundKey, leftMinor),
    });
    refundIds.push(refundId);
  }

  /** What this key was used for: done, or to be gone on with. */
  private known({ refundKey, amountMinor, reason }: Order): Plan | undefined {
    const known = this.plans.get(refundKey);
    if (known && (known.order.amountMinor !== amountMinor || known.order.reason !== reason))
      throw new DomainError('idempotency_key_reused', 'This key was used for another refund.');
    return known;
  }

  private mustTake({ amountMinor }: Order): true {
    const { record } = this.settled;
    if (!record.is('captured', 'partially_refunded'))
      throw new DomainError('refund_not_possible', 'Nothing was captured, or all of it is refunded.');
    const leftMinor = refundableMinor(record.payment);
    if (!isChargeable(amountMinor, record.payment.currency) || amountMinor > leftMinor)
      throw new DomainError('refund_not_possible', `At most ${leftMinor} can be refunded.`, { leftMinor });
    if (!this.settled.takesRefunds)
      throw new DomainError('refund_not_possible', 'The time for refunds is over.');
    return true;
  }
}

/** Callers name their refunds as they like: none is taken for one that the house itself gives back. */
const byCaller = (order: RefundOrder): RefundOrder => ({ ...order, refundKey: `refund/${order.refundKey}` });

/** The API's keys are hashes: a repeat is answered from the facts that have them. Others are nobody's to read. */
function inFacts(refundKey: string, leftMinor: number): { refundKey?: string; leftMinor?: number } {
  const hash = /^refund\/([0-9a-f]{64})$/.exec(refundKey)?.[1];
  return hash === undefined ? {} : { refundKey: hash, leftMinor };
}
