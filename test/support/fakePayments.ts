import type { PaymentTransitions, ProviderActivities } from '../../activities/payments';
import { foldPayment, paymentSteps } from '../../domain/payment';
import type { Charged, Payment, PaymentFact, PaymentStep } from '../../domain/payment';
import type { Recorded, Step } from '../../domain/sagas';

/** The payments worker's activities, played: the books in memory, a provider that says what the test wants. */
export interface FakePayments {
  readonly activities: PaymentTransitions & ProviderActivities;
  payment(rideId: string): Payment | undefined;
  /** What the provider was asked for, in order: `authorize`, `capture 1500`, `void`. */
  asked(rideId: string): string[];
}

const authorized = (): Promise<Charged> => Promise.resolve({ charged: true, intentId: 'pi_test' });

export function fakePayments(authorize: () => Promise<Charged> = authorized): FakePayments {
  const books = new Map<string, Payment>();
  const steps = new Set<string>();
  const asked = new Map<string, string[]>();
  const note = (rideId: string, what: string): void =>
    void asked.set(rideId, [...(asked.get(rideId) ?? []), what]);

  const record = (step: Step<PaymentFact>): Promise<Recorded<Payment>> => {
    const before = books.get(step.aggregateId) ?? null;
    if (!steps.has(step.stepId)) books.set(step.aggregateId, foldPayment(before, step.fact));
    steps.add(step.stepId);
    return Promise.resolve({ applied: true, state: books.get(step.aggregateId)! });
  };
  const transitions = Object.fromEntries(
    Object.values(paymentSteps).map((name: PaymentStep) => [name, record]),
  );
  const provider: ProviderActivities = {
    authorize: ({ rideId }) => {
      note(rideId, 'authorize');
      return authorize();
    },
    capture: ({ rideId, amountMinor }) => Promise.resolve(note(rideId, `capture ${amountMinor}`)),
    voidHold: (rideId) => {
      note(rideId, 'void');
      return Promise.resolve('pi_test');
    },
    chargeTip: ({ rideId, amountMinor }) => {
      note(rideId, `tip ${amountMinor}`);
      return Promise.resolve({ charged: true, intentId: 'pi_tip' });
    },
    refund: ({ rideId, amountMinor }) => {
      note(rideId, `refund ${amountMinor}`);
      return Promise.resolve({ refunded: true, refundId: 're_test' });
    },
  };
  return {
    activities: { ...(transitions as PaymentTransitions), ...provider },
    payment: (rideId) => books.get(rideId),
    asked: (rideId) => asked.get(rideId) ?? [],
  };
}
