import { activityInfo, ApplicationFailure, heartbeat } from '@temporalio/activity';
import type { Pool } from 'pg';
import { ledgerEntries } from '../domain/ledger';
import { providerBusy } from '../domain/names';
import { foldPayment, type Payment } from '../domain/payment';
import type {
  CardCharge,
  Charged,
  GivenUpCharge,
  HoldOrder,
  Raised,
  Refunded,
  RefundAsked,
  RefundDiffers,
  RefundFailed,
} from '../domain/paymentCalls';
import { paymentSteps, type PaymentFact, type PaymentStep } from '../domain/paymentFacts';
import type { Recorded, Step } from '../domain/sagas';
import { giveUpCharge } from '../services/payments/provider/giveUp';
import { captureHold, voidHolds } from '../services/payments/provider/holds';
import { chargeCard } from '../services/payments/provider/intents';
import { book } from '../services/payments/books/ledger';
import {
  FinalRefusal,
  isStillAsked,
  retryAfterMs,
  type ProviderAccess,
  type ProviderClient,
} from '../services/payments/provider/client';
import { raiseHold } from '../services/payments/provider/raiseHold';
import { failedRefunds, refundsThatDiffer } from '../services/payments/provider/refundsThatDiffer';
import { findRefund, refundCapture } from '../services/payments/provider/refunds';
import type { Vault } from '../platform/personal';
import { getPayment, lockPayment, putPayment, type IntentRef } from '../services/payments/books/paymentStore';
import { createRecordTransition } from './outbox';

export interface PaymentActivityOptions {
  readonly pool: Pool;
  readonly provider: ProviderClient;
  /** Seals what is personal in facts. */
  readonly vault: Vault;
  /** Where riders come back to from their bank's page. */
  readonly returnUrl?: string;
  readonly topicPrefix?: string;
}

/**
 * One activity a fact, so that a replay sees which one it was: the fact, the row and the booking in one transaction.
 */
export type PaymentTransitions = Record<PaymentStep, (step: Step<PaymentFact>) => Promise<Recorded<Payment>>>;

export type PaymentReads = {
  /** The payment as committed, or null before it was opened. */
  committedPayment(rideId: string): Promise<Payment | null>;
};

/** What is asked of the payment provider. Each is safe to repeat: it happens once. A declined card is an answer. */
export interface ProviderActivities {
  authorize(order: HoldOrder): Promise<Charged>;
  capture(order: { rideId: string; intentId: string; amountMinor: number }): Promise<void>;
  raiseHold(order: { rideId: string; intentId: string; changeId: string; toMinor: number }): Promise<Raised>;
  /** Answers the last intent that holds nothing any more, or null where there never was one. */
  voidHold(rideId: string): Promise<string | null>;
  /** The same for one of its holds, beside the one that counts. */
  voidOneHold(order: { rideId: string; holdVersion: number }): Promise<void>;
  chargeTip(charge: CardCharge): Promise<Charged>;
  /** What the hold did not give. */
  collect(charge: CardCharge): Promise<Charged>;
  /** An operator's charge beside. */
  chargeExtra(charge: CardCharge): Promise<Charged>;
  /** Makes sure that a charge of which nobody knows does not come about; answers it where it had. */
  giveUpCharge(order: GivenUpCharge): Promise<Charged>;
  refund(order: RefundAsked): Promise<Refunded>;
  /** What became of a refund of which nobody knows; null where the provider has none such. */
  findRefund(order: RefundAsked): Promise<Refunded | null>;
  /** The refunds of a ride that the books have otherwise than the provider. */
  refundsThatDiffer(rideId: string): Promise<readonly RefundDiffers[]>;
  /** Those of them that have failed: for payments that began before the others were looked for. */
  failedRefunds(rideId: string): Promise<readonly RefundFailed[]>;
}

/** Everything that a payment's workflow does outside of itself. */
export function createPaymentActivities({
  pool,
  provider,
  vault,
  returnUrl,
  topicPrefix,
}: PaymentActivityOptions): {
  readonly transitions: PaymentTransitions & PaymentReads;
  readonly provider: ProviderActivities;
} {
  const record = createRecordTransition<Payment, PaymentFact>({
    pool,
    vault,
    subjects: ({ riderId }) => ({ riderId }),
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
    transitions: {
      ...(Object.fromEntries(
        Object.values(paymentSteps).map((step) => [step, record]),
      ) as PaymentTransitions),
      committedPayment: (rideId) => getPayment(pool, rideId),
    },
    provider: createProviderActivities({
      pool,
      client: provider,
      ...(returnUrl === undefined ? {} : { returnUrl }),
    }),
  };
}

/** What the intent of each charge is for. */
const purposeOf = { chargeTip: 'tip', collect: 'charge', chargeExtra: 'extra' } as const satisfies Record<
  GivenUpCharge['call'],
  IntentRef['purpose']
>;

function createProviderActivities(access: ProviderAccess): ProviderActivities {
  const charge =
    (call: GivenUpCharge['call']) =>
    ({ rideId, attempt, ...rest }: CardCharge): Promise<Charged> => {
      const ref = { paymentId: rideId, purpose: purposeOf[call], intentVersion: attempt };
      return askingProvider(() => chargeCard(access, { ref, ...rest }));
    };
  return {
    authorize: ({ rideId, method, holdVersion = 1, riderIsThere = false, amountMinor, currency }) => {
      if (method.type === 'cash') throw new Error('impossible: cash is not authorized');
      const ref = { paymentId: rideId, purpose: 'hold', intentVersion: holdVersion } as const;
      const hold = { ref, amountMinor, currency, paymentMethod: method.token, riderIsThere };
      return askingProvider(() => chargeCard(access, hold));
    },
    capture: (order) => askingProvider(() => captureHold(access, order)),
    raiseHold: (order) => askingProvider(() => raiseHold(access, order)),
    voidHold: (rideId) => askingProvider(() => voidHolds(access, { rideId })),
    voidOneHold: async (order) => {
      await askingProvider(() => voidHolds(access, order));
    },
    chargeTip: charge('chargeTip'),
    collect: charge('collect'),
    chargeExtra: charge('chargeExtra'),
    giveUpCharge: ({ rideId, call, attempt }) => {
      const ref = { paymentId: rideId, purpose: purposeOf[call], intentVersion: attempt };
      return askingProvider(() => giveUpCharge(access, ref));
    },
    refund: (order) => askingProvider(() => refundCapture(access, order)),
    findRefund: (order) => askingProvider(() => findRefund(access, order)),
    refundsThatDiffer: (rideId) => askingProvider(() => refundsThatDiffer(access, rideId)),
    failedRefunds: (rideId) => askingProvider(() => failedRefunds(access, rideId)),
  };
}

/**
 * Around every activity that asks the provider. One that says when it wants to be asked again, or that is not asked for
 * a while, is asked then; what it refuses for good is not asked again.
 */
export async function askingProvider<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof FinalRefusal)
      throw ApplicationFailure.nonRetryable(error.message, error.code, error.taken);
    const pauseMs = retryAfterMs(error);
    throw pauseMs === undefined ? error : busyProvider(error, pauseMs);
  }
}

/**
 * The server keeps to the delay between the attempts of an activity; the workflow is told of it by the details, and
 * whether one of the attempts may have reached the provider: each that was turned away leaves their count to the next.
 */
export function busyProvider(error: unknown, pauseMs: number): ApplicationFailure {
  const info = activityInfo();
  const { attempt, isLocal } = info;
  const before = (info.heartbeatDetails as TurnedAway | undefined)?.turnedAway ?? 0;
  const turnedAway = isStillAsked(error) ? before : before + 1;
  if (!isLocal) heartbeat({ turnedAway } satisfies TurnedAway);
  const asked = turnedAway === attempt ? 'never_asked' : 'may_have_happened';
  return ApplicationFailure.create({
    message: error instanceof Error ? error.message : String(error),
    type: providerBusy,
    nextRetryDelay: pauseMs,
    details: [pauseMs, asked],
  });
}

interface TurnedAway {
  readonly turnedAway: number;
}
