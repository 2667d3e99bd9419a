import { CancellationScope, condition, defineUpdate, setHandler, sleep } from '@temporalio/workflow';
import { money } from '../domain/money';
import { paymentUpdates } from '../domain/names';
import type { HoldRaise, Raised } from '../domain/paymentCalls';
import type { PaymentOrder } from '../domain/paymentFacts';
import type { Policies } from '../domain/policies';
import { resolvedByOperator } from '../domain/operatorsWord';
import { authorize, type HeldOrder } from './authorization';
import type { Compensations } from './compensation';
import { createLock } from './lock';
import type { PaymentRecord } from './paymentRecord';
import type { Provider } from './provider';
import { takenOtherwise } from './refusal';
import { requireShape } from './updateArguments';

/** As it follows on "could not". */
const RELEASE_UNUSED = 'release a hold that is not used';

/** A hold that ends sooner than the policy expects is made anew so long before … */
const MARGIN_MS = 24 * 60 * 60_000;
/** … but not at once, whatever the provider's clock says. */
const LEAST_LIFE_MS = 60 * 60_000;

/**
 * What is held of the rider's money while the ride is under way: it comes about, is raised, is made anew when it gets
 * old, and none of it is left half done at the end.
 */
export class Holds {
  private readonly answers = new Map<string, Promise<Raised>>();
  private readonly oneAtATime = createLock();
  private held: HeldOrder | null = null;
  private oldFromMs = 0;
  private lastVersion = 0;
  private hasNews = false;
  private underWay = 0;
  private leaving = 0;
  /** What the provider does not release: seen to when the ride has ended. */
  private readonly refused: (() => Promise<void>)[] = [];
  private closed = false;

  constructor(
    private readonly record: PaymentRecord,
    private readonly policies: Policies,
    private readonly provider: Provider,
    private readonly compensations: Compensations,
    private readonly rideIsOver: () => boolean,
  ) {
    setHandler(
      defineUpdate<Raised, [HoldRaise]>(paymentUpdates.raiseHold),
      (raise) => {
        const known = this.answers.get(raise.changeId);
        const answer = known ?? this.undisturbed(() => this.raise(raise));
        this.answers.set(raise.changeId, answer);
        return answer;
      },
      {
        description: 'The ride will cost more: a larger hold, before that applies',
        validator: (raise: HoldRaise) =>
          requireShape(paymentUpdates.raiseHold, { changeId: 'uuid', toMinor: 'minor' }, raise),
      },
    );
  }

  /** There may be something to see at the provider. */
  look(): void {
    this.hasNews = true;
  }

  get wantLook(): boolean {
    return this.hasNews;
  }

  /** Until one of the rider's methods holds the fare, is cash, or all are declined. */
  async authorize(order: PaymentOrder): Promise<void> {
    const { record, provider, policies, rideIsOver } = this;
    const news = { takeNews: () => this.takeNews(), rideIsOver };
    this.held = await authorize(order, policies, { record, provider }, news, (version) =>
      this.leave(version),
    );
    this.lastVersion = this.held?.holdVersion ?? 0;
    this.oldFromMs = Date.now() + policies.holdValidMs;
    this.hasNews = false;
  }

  /** Makes the hold anew where it is about to end before its ride, or has ended; the one before goes then. */
  async renew(): Promise<void> {
    this.hasNews = false;
    await this.undisturbed(() => this.renewOld());
  }

  /** From now on nothing is raised; returns when what is under way has its answer, which the settlement counts on. */
  async close(): Promise<void> {
    this.closed = true;
    await condition(() => this.underWay === 0);
  }

  /** Until nothing is left at the provider that is not used; what it does not release waits for an operator. */
  async leftNothing(): Promise<void> {
    await condition(() => this.leaving === 0);
    await CancellationScope.nonCancellable(async () => {
      for (let release = this.refused.pop(); release; release = this.refused.pop())
        await this.compensations.insist(RELEASE_UNUSED, release);
    });
  }

  private takeNews(): boolean {
    const had = this.hasNews;
    this.hasNews = false;
    return had;
  }

  /** Released beside all else, for as long as that takes. */
  private leave(holdVersion: number): void {
    this.leaving += 1;
    CancellationScope.nonCancellable(() => this.release(holdVersion))
      .catch((error: unknown) => {
        this.record.operators.failed(RELEASE_UNUSED, error);
        this.refused.push(() => this.release(holdVersion));
      })
      .finally(() => (this.leaving -= 1));
  }

  /** What somebody else has taken of it cannot be released, and may be booked by now. */
  private async release(holdVersion: number): Promise<void> {
    const { rideId } = this.record.payment;
    try {
      await this.provider.voidOneHold('Release a hold that is not used', { rideId, holdVersion });
    } catch (error) {
      const taken = takenOtherwise(error);
      if (!this.record.payment.charges.some(({ intentId }) => intentId === taken?.intentId)) throw error;
    }
  }

  private async undisturbed<T>(task: () => Promise<T>): Promise<T> {
    this.underWay += 1;
    try {
      return await CancellationScope.nonCancellable(() => this.oneAtATime(task));
    } finally {
      this.underWay -= 1;
    }
  }

  private async raise({ changeId, toMinor }: HoldRaise): Promise<Raised> {
    if (this.closed) return { raised: false, reason: 'ride_ended' };
    if (!this.record.is('authorized', 'cash_due')) return { raised: false, reason: 'not_authorized' };
    const { rideId, amountMinor, currency, intentId } = this.record.payment;
    if (toMinor <= amountMinor) return { raised: true };
    if (intentId !== null) {
      const summary = `Raise the hold from ${money(amountMinor, currency)} to ${money(toMinor, currency)}`;
      const order = { rideId, intentId, changeId, toMinor };
      const answer = await this.provider.raiseHold(summary, order);
      if (!answer.raised) return answer;
    }
    await this.record.add('payment.hold_raised', { intentId, amountMinor: toMinor, currency, changeId });
    return { raised: true };
  }

  private async renewOld(): Promise<void> {
    const { held, provider, record } = this;
    if (this.closed || held === null || !record.is('authorized')) return;
    const isOld = Date.now() >= this.oldFromMs;
    if (!isOld && (await provider.authorize('Look whether the hold stands', held)).charged) return;
    const { rideId, amountMinor, currency, intentId: replacedIntentId } = record.payment;
    if (replacedIntentId === null) throw new Error('impossible: held without an intent');
    this.lastVersion += 1;
    const order = { rideId, amountMinor, currency, method: held.method, holdVersion: this.lastVersion };
    const again = await provider.authorize(`Hold ${money(amountMinor, currency)} anew`, order);
    if (!again.charged) {
      // What is held is held on to; what is not is asked for when the ride has ended.
      record.operators.failed('hold the fare anew', again.reason);
      if (again.reason === resolvedByOperator) this.leave(order.holdVersion);
      return;
    }
    const { intentId } = again;
    await record.add('payment.reauthorized', { intentId, amountMinor, currency, replacedIntentId });
    this.held = order;
    this.seeToEnd(order, again.heldUntil);
    this.leave(held.holdVersion);
  }

  /** The ride says when a hold is as old as the policy lets it get; one that ends sooner is looked at by itself. */
  private seeToEnd(order: HeldOrder, heldUntil: string | undefined): void {
    const { holdValidMs } = this.policies;
    const lifeMs = heldUntil === undefined ? Infinity : Date.parse(heldUntil) - Date.now();
    const oldInMs = Math.max(lifeMs / 2, lifeMs - MARGIN_MS, LEAST_LIFE_MS);
    this.oldFromMs = Date.now() + Math.min(oldInMs, holdValidMs);
    if (oldInMs >= holdValidMs) return;
    sleep(oldInMs, { summary: 'the hold is about to end' })
      .then(() => this.held === order && this.look())
      .catch(() => undefined);
  }
}
