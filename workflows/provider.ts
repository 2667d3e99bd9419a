import {
  ActivityCancellationType,
  CancellationScope,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import type { ProviderActivities } from '../activities/payments';
import type { GivenUpCharge } from '../domain/paymentCalls';
import type { ProviderCall } from '../domain/paymentFacts';
import type { Doubts } from './doubts';
import type { PaymentRecord } from './paymentRecord';
import { refusalIn } from './steps';
import { retryInTurn } from './turns';

/** What is asked for; giving a charge up, and looking for a refund, is part of asking for it. */
type Call = Exclude<keyof ProviderActivities, 'giveUpCharge' | 'findRefund' | 'failedRefunds'>;
type Order<K extends keyof ProviderActivities> = Parameters<ProviderActivities[K]>[0];
type Answer<K extends keyof ProviderActivities> = Awaited<ReturnType<ProviderActivities[K]>>;

type Asking<K extends Call> = (what: string, order: Order<K>) => Promise<Answer<K>>;

/** The provider, as a payment asks it: with words for the operator. */
export type Provider = { readonly [K in Call]: Asking<K> };

interface Executable<K extends keyof ProviderActivities> {
  executeWithOptions(options: object, args: [Order<K>]): Promise<Answer<K>>;
}

/** How a call is asked for. */
interface Manner<K extends Call> {
  /** Once as a local activity, before all else. */
  readonly quickly?: boolean;
  /** Sees to it that it does not happen any more; answers null, or what has come of it by then. */
  readonly giveUp?: (what: string, order: Order<K>, turn: number) => Promise<{ answer: Answer<K> } | null>;
}

const startToCloseTimeout = '30s';

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
 * The provider for one payment. No call ever gives up, each is safe to repeat, and the payment's card says what is
 * waited for and what failed last. The two calls of every ride are tried once as a local activity: where the provider
 * answers within 2 s, that is one marker instead of three events and a workflow task, and nobody waits for the
 * payment's workflow meanwhile.
 */
export function createProvider(record: PaymentRecord, doubts: Doubts): Provider {
  return {
    authorize: asking('authorize', { quickly: true }),
    capture: asking('capture', { quickly: true, giveUp: giveUpCapture }),
    raiseHold: asking('raiseHold'),
    voidHold: asking('voidHold'),
    voidOneHold: asking('voidOneHold'),
    chargeTip: asking('chargeTip', { giveUp: givingUp('chargeTip') }),
    collect: asking('collect', { giveUp: givingUp('collect') }),
    chargeExtra: asking('chargeExtra', { giveUp: givingUp('chargeExtra') }),
    refund: asking('refund', { giveUp: giveUpRefund }),
    refundsThatDiffer: asking('refundsThatDiffer'),
  };

  function asking<K extends Call>(call: K, { quickly = false, giveUp }: Manner<K> = {}): Asking<K> {
    const once = local[call] as unknown as Executable<K>;
    return (what, order) =>
      record.operators.during('provider', what, () =>
        doubts.untilAnswered<Answer<K>>(
          { call: inFacts(call), what },
          (tried) => {
            const turn = quickly ? tried - 1 : tried;
            return turn < 0
              ? CancellationScope.nonCancellable(() => once.executeWithOptions({ summary: what }, [order]))
              : inTurn(call, what, order, turn);
          },
          giveUp && ((tried) => giveUp(`Make sure that it did not happen: ${what}`, order, tried)),
        ),
      );
  }
}

/** A hold that is released cannot be captured; one that is captured is not released. */
async function giveUpCapture(
  what: string,
  order: Order<'capture'>,
  turn: number,
): Promise<{ answer: Answer<'capture'> } | null> {
  try {
    await inTurn('voidHold', what, order.rideId, turn);
    return null;
  } catch (error) {
    if (refusalIn(error)?.type !== 'hold_captured') throw error;
    return { answer: await inTurn('capture', what, order, turn) };
  }
}

const givingUp =
  (call: GivenUpCharge['call']): Manner<typeof call>['giveUp'] =>
  async (what, { rideId, attempt }, turn) => {
    const charged = await inTurn('giveUpCharge', what, { rideId, attempt, call }, turn);
    return charged.charged ? { answer: charged } : null;
  };

/** What was given cannot be taken back: it is looked for. */
async function giveUpRefund(
  what: string,
  order: Order<'refund'>,
  turn: number,
): Promise<{ answer: Answer<'refund'> } | null> {
  const given = await inTurn('findRefund', what, order, turn);
  return given && { answer: given };
}

/** A hold beside the one that counts is no doubt about the payment, nor is a look. */
const inFacts = (call: Call): ProviderCall | null =>
  call === 'voidOneHold' || call === 'refundsThatDiffer' ? null : call;

function inTurn<K extends keyof ProviderActivities>(
  call: K,
  what: string,
  order: Order<K>,
  turn: number,
): Promise<Answer<K>> {
  const activity = regular[call] as unknown as Executable<K>;
  return activity.executeWithOptions({ summary: what, retry: retryInTurn(turn) }, [order]);
}
