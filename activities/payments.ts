import { ApplicationFailure } from '@temporalio/activity';
import type { Pool } from 'pg';
import { ledgerEntries } from '../domain/ledger';
import { providerBusy } from '../domain/names';
import { foldPayment, type Payment } from '../domain/payment';
import type { Charged, Raised, Refunded, TipCharge } from '../domain/paymentCalls';
import { paymentSteps, type PaymentFact, type PaymentOrder, type PaymentStep } from '../domain/paymentFacts';
import type { Recorded, Step } from '../domain/sagas';
import { captureHold, chargeCard, voidHold } from '../services/payments/intents';
import { book } from '../services/payments/ledger';
import { FinalRefusal, retryAfterMs, type ProviderClient } from '../services/payments/provider';
import { raiseHold } from '../services/payments/raiseHold';
import { refundCapture } from '../services/payments/refunds';
import { lockPayment, putPayment } from '../services/payments/store';
import { createRecordTransition } from './outbox';

export interface PaymentActivityOptions {
  readonly pool: Pool;
  readonly provider: ProviderClient;
  readonly topicPrefix?: string;
}

/**
 * One activity a fact, so that a replay sees which one it was: the fact, the row and the booking in one transaction.
 */
export type PaymentTransitions = Record<PaymentStep, (step: Step<PaymentFact>) => Promise<Recorded<Payment>>>;

/** What is asked of the payment provider. Each is safe to repeat: it happens once. A declined card is an answer. */
export interface ProviderActivities {
  authorize(order: PaymentOrder): Promise<Charged>;
  capture(order: { rideId: string; intentId: string; amountMinor: number }): Promise<void>;
  raiseHold(order: { rideId: string; intentId: string; changeId: string; toMinor: number }): Promise<Raised>;
  /** Answers the intent that holds nothing any more, or null where there never was one. */
  voidHold(rideId: string): Promise<string | null>;
  chargeTip(tip: TipCharge): Promise<Charged>;
  refund(order: {
    rideId: string;
    intentId: string;
    refundKey: string;
    amountMinor: number;
  }): Promise<Refunded>;
}

/** Everything that a payment's workflow does outside of itself. */
export function createPaymentActivities({ pool, provider, topicPrefix }: PaymentActivityOptions): {
  readonly transitions: PaymentTransitions;
  readonly provider: ProviderActivities;
} {
  const record = createRecordTransition<Payment, PaymentFact>({
    pool,
    source: '/hailway/payments',
    ...(topicPrefix === undefined ? {} : { topicPrefix }),
    aggregate: {
      lock: lockPayment,
      fold: foldPayment,
      save: async (tx, { after, fact, stepId }) => {
        await putPayment(tx, after);
        await book(tx, {
          stepId,
          paymentId: after.rideId,
          kind: fact.type,
          recordedAt: fact.at,
          entries: ledgerEntries(fact),
        });
      },
    },
  });
  return {
    transitions: Object.fromEntries(
      Object.values(paymentSteps).map((step) => [step, record]),
    ) as PaymentTransitions,
    provider: createProviderActivities({ pool, client: provider }),
  };
}

function createProviderActivities(access: { pool: Pool; client: ProviderClient }): ProviderActivities {
  return {
    authorize: ({ rideId, amountMinor, currency, method }) => {
      if (method.type === 'cash') throw new Error('impossible: cash is not authorized');
      const ref = { paymentId: rideId, purpose: 'hold', intentVersion: 1 } as const;
      return calling(() => chargeCard(access, { ref, amountMinor, currency, paymentMethod: method.token }));
    },
    capture: (order) => calling(() => captureHold(access, order)),
    raiseHold: (order) => calling(() => raiseHold(access, order)),
    voidHold: (rideId) => calling(() => voidHold(access, rideId)),
    chargeTip: ({ rideId, attempt, ...charge }) => {
      const ref = { paymentId: rideId, purpose: 'tip', intentVersion: attempt } as const;
      return calling(() => chargeCard(access, { ref, ...charge }));
    },
    refund: (order) => calling(() => refundCapture(access, order)),
  };
}

/** A provider that says when it wants to be asked again is asked then; what it refuses for good is not asked again. */
async function calling<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof FinalRefusal) throw ApplicationFailure.nonRetryable(error.message, error.code);
    const pauseMs = retryAfterMs(error);
    throw pauseMs === undefined ? error : busyProvider(error, pauseMs);
  }
}

/** The server keeps to the delay between the attempts of an activity; the workflow is told of it by the detail. */
export const busyProvider = (error: unknown, pauseMs: number): ApplicationFailure =>
  ApplicationFailure.create({
    message: error instanceof Error ? error.message : String(error),
    type: providerBusy,
    nextRetryDelay: pauseMs,
    details: [pauseMs],
  });
