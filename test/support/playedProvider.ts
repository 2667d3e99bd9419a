import type { ProviderActivities } from '../../activities/payments';
import type { Charged } from '../../domain/paymentCalls';

/** A payment provider that says what the test wants, and remembers what it was asked. */
export interface PlayedProvider {
  readonly activities: ProviderActivities;
  /** In order: `authorize 1500`, `capture 500`, `void`, `tip 200`, `refund 100`. */
  asked(rideId: string): string[];
  /** Answers the next call of this kind, instead of the usual answer. */
  next<K extends keyof ProviderActivities>(call: K, answer: () => ReturnType<ProviderActivities[K]>): void;
  /**
   * Fails the first call of this kind, which makes the next one a regular activity, and answers that one when the test
   * says so: what is waited for longer than a quick answer takes.
   */
  late<K extends keyof ProviderActivities, T>(call: K): ReturnType<typeof held<T>>;
  /** From now on it answers as usual: special answers that nobody has asked for are forgotten. */
  isBack(): void;
  /**
   * The next test begins: special answers are for payments that ask for the first time from now on. Those of a test
   * before may still be open, and would take them.
   */
  reset(): void;
}

export function playedProvider(): PlayedProvider {
  const calls: { rideId: string; what: string }[] = [];
  const waiting = new Map<string, (() => Promise<unknown>)[]>();
  let callsBefore = 0;
  const isOfBefore = (rideId: string): boolean =>
    calls.slice(0, callsBefore).some((call) => call.rideId === rideId);

  const answer = <T>(call: keyof ProviderActivities, rideId: string, what: string, usual: T): Promise<T> => {
    calls.push({ rideId, what });
    const special = isOfBefore(rideId) ? undefined : waiting.get(call)?.shift();
    return (special?.() as Promise<T> | undefined) ?? Promise.resolve(usual);
  };
  const charged = (intentId: string): Charged => ({ charged: true, intentId });
  const next: PlayedProvider['next'] = (call, special) =>
    void waiting.set(call, [...(waiting.get(call) ?? []), special]);
  return {
    activities: {
      authorize: ({ rideId, amountMinor, holdVersion = 1 }) => {
        const which = holdVersion === 1 ? '' : `_${holdVersion}`;
        const what = holdVersion === 1 ? '' : ` as ${holdVersion}`;
        return answer(
          'authorize',
          rideId,
          `authorize ${amountMinor}${what}`,
          charged(`pi_${rideId}${which}`),
        );
      },
      capture: ({ rideId, amountMinor }) => answer('capture', rideId, `capture ${amountMinor}`, undefined),
      raiseHold: ({ rideId, toMinor }) => answer('raiseHold', rideId, `raise ${toMinor}`, { raised: true }),
      voidHold: (rideId) => answer('voidHold', rideId, 'void', `pi_${rideId}`),
      voidOneHold: ({ rideId, holdVersion }) =>
        answer('voidOneHold', rideId, `void hold ${holdVersion}`, undefined),
      collect: ({ rideId, amountMinor, attempt }) =>
        answer('collect', rideId, `charge ${amountMinor}`, charged(`pi_charge_${attempt}_${rideId}`)),
      chargeExtra: ({ rideId, amountMinor, attempt }) =>
        answer('chargeExtra', rideId, `extra ${amountMinor}`, charged(`pi_extra_${attempt}_${rideId}`)),
      chargeTip: ({ rideId, amountMinor, attempt }) =>
        answer('chargeTip', rideId, `tip ${amountMinor}`, charged(`pi_tip_${attempt}_${rideId}`)),
      giveUpCharge: ({ rideId, call, attempt }) =>
        answer('giveUpCharge', rideId, `give up ${call} ${attempt}`, {
          charged: false,
          reason: 'resolved_by_operator',
        }),
      refund: ({ rideId, amountMinor, refundKey, part }) =>
        answer('refund', rideId, `refund ${amountMinor}`, {
          ...{ refunded: true, refundId: `re_${refundKey.replaceAll(/\W/g, '_')}_${part}` },
        }),
      findRefund: ({ rideId, amountMinor }) =>
        answer('findRefund', rideId, `find refund ${amountMinor}`, null),
      refundsThatDiffer: (rideId) => answer('refundsThatDiffer', rideId, 'refunds that differ', []),
      failedRefunds: (rideId) => answer('failedRefunds', rideId, 'failed refunds', []),
    },
    asked: (rideId) => calls.filter((call) => call.rideId === rideId).map((call) => call.what),
    next,
    late: <K extends keyof ProviderActivities, T>(call: K) => {
      const answer = held<T>();
      next(call, () => {
        // It did not get there: the provider was not asked.
        calls.pop();
        return Promise.reject(new Error('connect ECONNREFUSED')) as ReturnType<ProviderActivities[K]>;
      });
      next(call, () => answer.promise as unknown as ReturnType<ProviderActivities[K]>);
      return answer;
    },
    isBack: () => waiting.clear(),
    reset() {
      waiting.clear();
      callsBefore = calls.length;
    },
  };
}

/** An answer that comes when the test says so. */
export function held<T>(): { promise: Promise<T>; release: (answer: T) => void; asked: Promise<void> } {
  let release!: (answer: T) => void;
  let wasAsked!: () => void;
  const asked = new Promise<void>((resolve) => (wasAsked = resolve));
  const promise = new Promise<T>((resolve) => (release = resolve));
  return {
    get promise() {
      wasAsked();
      return promise;
    },
    release,
    asked,
  };
}
