import { condition } from '@temporalio/workflow';
import { money } from '../domain/money';
import { resolvedByOperator } from '../domain/operatorsWord';
import type { Charged, HoldOrder } from '../domain/paymentCalls';
import type { PaymentOrder } from '../domain/paymentFacts';
import type { Policies } from '../domain/policies';
import type { PaymentRecord } from './paymentRecord';
import type { Provider } from './provider';

/** News of the provider may be late or lost: while a rider answers their bank it is looked at this often, too. */
const LOOK_EVERY_MS = 60_000;

/** What an authorization hears of while it waits for somebody. */
export interface AuthorizationNews {
  /** The provider has said something since this was last asked, or an operator wants a look. */
  readonly takeNews: () => boolean;
  /** Nothing is owed and nothing is needed any more. */
  readonly rideIsOver: () => boolean;
}

/** A hold that has come about. */
export type HeldOrder = Required<Pick<HoldOrder, 'holdVersion'>> & HoldOrder;

/**
 * Has the fare held by the rider's methods in their order, until one of them holds it, is cash, or none is left.
 * `leave` is told of a hold that may have come about and is not used.
 * @returns the order that was held, or null
 */
export async function authorize(
  { method, fallbacks = [], rideId, amountMinor, currency }: PaymentOrder,
  policies: Policies,
  { record, provider }: { record: PaymentRecord; provider: Provider },
  { takeNews, rideIsOver }: AuthorizationNews,
  leave: (holdVersion: number) => void,
): Promise<HeldOrder | null> {
  const methods = [method, ...fallbacks];
  for (const [index, asked] of methods.entries()) {
    if (asked.type === 'cash') return null;
    const order = {
      rideId,
      amountMinor,
      currency,
      method: asked,
      holdVersion: index + 1,
      riderIsThere: true,
    };
    const held = await hold(order);
    if (held.charged) {
      await record.add('payment.authorized', { intentId: held.intentId, amountMinor, currency });
      return order;
    }
    const { reason } = held;
    if (rideIsOver()) return null;
    const next = methods[index + 1];
    if (next === undefined) await record.add('payment.declined', { reason });
    else await record.add('payment.method_changed', { method: next, reason });
    // An attempt that was lost may have come further: what it holds is held.
    if (!record.is('authorizing', 'cash_due')) return null;
  }
  return null;

  async function hold(order: HeldOrder): Promise<Charged> {
    const held = await provider.authorize(`Hold ${money(amountMinor, currency)}`, order);
    // The hold that somebody without the provider's word gave up may stand.
    if (!held.charged && held.reason === resolvedByOperator) leave(order.holdVersion);
    if (held.charged || held.actionIntentId === undefined) return held;
    const deadlineMs = Date.now() + policies.actionDeadlineMs;
    const deadlineAt = new Date(deadlineMs).toISOString();
    await record.add('payment.action_required', { intentId: held.actionIntentId, deadlineAt });
    record.operators.waits(`the rider to answer their bank, until ${deadlineAt}`);
    return actionTaken(order, deadlineMs);
  }

  /** What the rider's answer led to. Decided by comparing times: the timer may be late. */
  async function actionTaken(order: HeldOrder, deadlineMs: number): Promise<Charged> {
    const summary = 'time for the rider to answer their bank';
    for (;;) {
      const waitMs = Math.max(1, Math.min(LOOK_EVERY_MS, deadlineMs - Date.now()));
      await condition(() => takeNews() || rideIsOver(), waitMs, { summary });
      if (!rideIsOver()) {
        const held = await provider.authorize('Look whether the rider has answered their bank', order);
        if (held.charged || held.actionIntentId === undefined) return held;
        if (Date.now() < deadlineMs) continue;
      }
      // Whoever answers from here on is too late: no hold may come about of it.
      await provider.voidOneHold('Take back what the rider did not answer', order);
      return { charged: false, reason: 'action_not_taken' };
    }
  }
}
