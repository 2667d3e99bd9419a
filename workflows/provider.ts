import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  proxyActivities,
  proxyLocalActivities,
  sleep,
} from '@temporalio/workflow';
import type { ProviderActivities } from '../activities/payments';
import { providerBusy } from '../domain/names';
import type { PaymentView } from './paymentView';
import { causeOf, isFinal } from './steps';

type Call = keyof ProviderActivities;
type Order<K extends Call> = Parameters<ProviderActivities[K]>[0];
type Answer<K extends Call> = Awaited<ReturnType<ProviderActivities[K]>>;

type Asking<K extends Call> = (what: string, order: Order<K>) => Promise<Answer<K>>;

/** The provider, as a payment asks it: with words for the operator. */
export type Provider = { readonly [K in Call]: Asking<K> };

interface Executable<K extends Call> {
  executeWithOptions(options: object, args: [Order<K>]): Promise<Answer<K>>;
}

const startToCloseTimeout = '30s';
const backoff = { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '10s' } as const;

/** Calls that leave the house: an operator sees each, and how often it was tried. */
const regular = proxyActivities<ProviderActivities>({
  startToCloseTimeout,
  // A call in flight is waited for: a hold that was released before it came about would stay.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

const local = proxyLocalActivities<ProviderActivities>({
  startToCloseTimeout: '2s',
  scheduleToCloseTimeout: '2s',
  retry: { maximumAttempts: 1 },
});

/**
 * Attempts of a call that fails, in activities of so many each: the workflow, and with it the card, hears of a failure
 * only when an activity ends. The last number again and again: one activity then takes about an hour.
 */
const attemptsInTurn = [1, 6, 24, 96, 360] as const;

/**
 * The provider for one payment. No call ever gives up, each is safe to repeat, and the payment's card says what is
 * waited for and what failed last. The two calls of every ride are tried once as a local activity: where the provider
 * answers within 2 s, that is one marker instead of three events and a workflow task, and nobody waits for the
 * payment's workflow meanwhile.
 */
export function createProvider(view: PaymentView): Provider {
  return {
    authorize: asking('authorize', { quickly: true }),
    capture: asking('capture', { quickly: true }),
    raiseHold: asking('raiseHold'),
    voidHold: asking('voidHold'),
    chargeTip: asking('chargeTip'),
    refund: asking('refund'),
  };

  function asking<K extends Call>(call: K, { quickly = false } = {}): Asking<K> {
    const once = local[call] as unknown as Executable<K>;
    return (what, order) =>
      view.during('provider', what, async (): Promise<Answer<K>> => {
        if (quickly) {
          const first = await triedOnce<Answer<K>>(what, () =>
            CancellationScope.nonCancellable(() => once.executeWithOptions({ summary: what }, [order])),
          );
          if (first) return first.answer;
        }
        for (let turn = 0; ; turn += 1) {
          const later = await triedOnce<Answer<K>>(what, () => again(call, what, order, turn));
          if (later) return later.answer;
        }
      });
  }

  /** The answer; or nothing where it may be asked for again, after the pause that the provider wants. */
  async function triedOnce<T>(what: string, call: () => Promise<T>): Promise<{ answer: T } | undefined> {
    try {
      return { answer: await call() };
    } catch (error) {
      if (isFinal(error) || CancellationScope.current().consideredCancelled) throw error;
      const cause = causeOf(error);
      view.failed(what, cause);
      const pauseMs = pauseWanted(cause);
      if (pauseMs > 0) await sleep(pauseMs, { summary: 'the provider wants to be asked later' });
      return undefined;
    }
  }
}

const pauseWanted = (cause: unknown): number =>
  cause instanceof ApplicationFailure && cause.type === providerBusy ? Number(cause.details?.[0]) : 0;

function again<K extends Call>(call: K, what: string, order: Order<K>, turn: number): Promise<Answer<K>> {
  const activity = regular[call] as unknown as Executable<K>;
  const maximumAttempts = attemptsInTurn[Math.min(turn, attemptsInTurn.length - 1)];
  return activity.executeWithOptions({ summary: what, retry: { ...backoff, maximumAttempts } }, [order]);
}
