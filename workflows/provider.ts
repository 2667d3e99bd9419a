import {
  ActivityCancellationType,
  CancellationScope,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { ProviderActivities } from '../activities/payments';
import type { ProviderCall } from '../domain/paymentFacts';
import type { Doubts } from './doubts';
import type { PaymentRecord } from './paymentRecord';

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
export function createProvider(record: PaymentRecord, doubts: Doubts): Provider {
  return {
    authorize: asking('authorize', { quickly: true }),
    capture: asking('capture', { quickly: true }),
    raiseHold: asking('raiseHold'),
    voidHold: asking('voidHold'),
    voidOneHold: asking('voidOneHold'),
    chargeTip: asking('chargeTip'),
    collect: asking('collect'),
    chargeExtra: asking('chargeExtra'),
    refund: asking('refund'),
  };

  function asking<K extends Call>(call: K, { quickly = false } = {}): Asking<K> {
    const once = local[call] as unknown as Executable<K>;
    return (what, order) =>
      record.operators.during('provider', what, () =>
        doubts.untilAnswered<Answer<K>>({ call: inFacts(call), what }, (tried) => {
          const turn = quickly ? tried - 1 : tried;
          return turn < 0
            ? CancellationScope.nonCancellable(() => once.executeWithOptions({ summary: what }, [order]))
            : again(call, what, order, turn);
        }),
      );
  }
}

/** A hold beside the one that counts is no doubt about the payment. */
const inFacts = (call: Call): ProviderCall | null => (call === 'voidOneHold' ? null : call);

function again<K extends Call>(call: K, what: string, order: Order<K>, turn: number): Promise<Answer<K>> {
  const activity = regular[call] as unknown as Executable<K>;
  const maximumAttempts = attemptsInTurn[Math.min(turn, attemptsInTurn.length - 1)];
  return activity.executeWithOptions({ summary: what, retry: { ...backoff, maximumAttempts } }, [order]);
}
