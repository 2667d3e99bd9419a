import { isDeepStrictEqual } from 'node:util';
import { foldPayment, isSettled, type Payment } from '../../../domain/payment';
import type { PaymentFact } from '../../../domain/paymentFacts';
import { excessMinor } from '../../../domain/paymentPlan';
import { stepsOf } from '../../../platform/outbox';
import { balancesOf } from '../../../services/payments/books/ledger';
import { getPayment } from '../../../services/payments/books/paymentStore';
import { providerBooks } from '../providerBooks';
import type { Played } from './play';

/** Facts of a story summed up, in minor units. */
interface Sums {
  /** What the ride cost by its own facts. */
  readonly fare: number;
  /** What somebody has captured beyond that. */
  readonly excess: number;
  readonly extra: number;
  readonly tip: number;
  readonly waived: number;
  readonly refunded: number;
}

/**
 * Holds what a story has led to against the provider's books, against its own facts, and against what people were told.
 * @returns what is wrong, a sentence each
 */
export async function judgeStory({ cast, unanswered, isOver }: Played): Promise<string[]> {
  const { rideId, handle, world, provider, outcome } = cast;
  const { pool } = world;
  const steps = await stepsOf<PaymentFact>(pool, rideId);
  const facts = steps.map(({ fact }) => fact);
  const payment = await getPayment(pool, rideId);
  if (payment === null) return ['no payment was opened'];
  const lines = await balancesOf(pool, rideId);
  const clearing = lines.find(({ account }) => account === 'provider_clearing')?.amountMinor ?? 0;
  const sum = lines.reduce((all, { amountMinor }) => all + amountMinor, 0);
  const theirs = await providerBooks(provider.url, rideId);
  const { events } = await handle.fetchHistory();
  const failures = events?.flatMap(({ workflowTaskFailedEventAttributes: failed }) =>
    // News came in while it was under way: nothing is wrong with that.
    failed && failed.failure?.message !== 'UnhandledCommand' ? [failed.failure?.message] : [],
  );
  const sums = sumUp(facts);
  const paidMinor =
    sums.fare + sums.excess + sums.extra + sums.tip - sums.waived - sums.refunded - payment.owedMinor;
  const said =
    isSettled(payment) && outcome !== undefined && facts.some(isCharge) ? outcome.amountMinor : sums.fare;
  return [
    ...cast.wrong,
    isOver ? '' : `it never ends: ${payment.status}, ${payment.owedMinor} owed`,
    ...(failures ?? []).map((message) => `a task of the workflow failed: ${message}`),
    ...unanswered.map((what) => `nobody has answered: ${what}`),
    sum === 0 ? '' : `the ledger sums to ${sum}`,
    clearing === theirs.netMinor ? '' : `our ledger says ${clearing}, the provider ${theirs.netMinor}`,
    paidMinor === theirs.netMinor
      ? ''
      : `by the facts ${paidMinor} was to be paid, and ${theirs.netMinor} was`,
    sums.fare === said ? '' : `the ride said ${said}, the facts say ${sums.fare}`,
    isSettled(payment) || !isOver ? '' : `it ended as ${payment.status}, with ${payment.owedMinor} owed`,
    theirs.holdsOpen ? `a hold is still open: ${payment.status}` : '',
    isFold(payment, facts) ? '' : 'the row is not what its facts fold to',
    steps.every(({ version }, i) => version === i + 1) ? '' : 'the facts have a gap',
    ...refundsJudged(cast.refunds, facts),
    cast.tips.every((tipMinor) => tipMinor === payment.tipMinor)
      ? ''
      : `a tip was given and is not: ${cast.tips.join()}`,
  ].filter((wrong) => wrong !== '');
}

const isCharge = ({ type }: PaymentFact): boolean =>
  type === 'payment.captured' || type === 'payment.charge_failed';

function sumUp(facts: readonly PaymentFact[]): Sums {
  const sums = { fare: 0, excess: 0, extra: 0, tip: 0, waived: 0, refunded: 0 };
  for (const { type, data } of facts) {
    if (type === 'payment.captured') {
      sums.fare += data.owedMinor ?? data.amountMinor;
      sums.excess += excessMinor(data);
    }
    if (type === 'payment.charge_failed') sums.fare += data.owedMinor;
    if (type === 'payment.extra_charged') sums.extra += data.amountMinor;
    if (type === 'payment.tip_charged') sums.tip += data.tipMinor;
    if (type === 'payment.waived') sums.waived += data.amountMinor;
    if (type === 'payment.refunded') sums.refunded += data.amountMinor;
    if (type === 'payment.refund_failed') sums.refunded -= data.amountMinor;
  }
  return sums;
}

const isFold = (payment: Payment, facts: readonly PaymentFact[]): boolean =>
  isDeepStrictEqual(facts.reduce<Payment | null>(foldPayment, null), payment);

/** Each key gives its amount back once, or nothing; each refund's reason is its key. */
function refundsJudged(refunds: Played['cast']['refunds'], facts: readonly PaymentFact[]): string[] {
  return [...refunds].map(([key, { amountMinor, isGiven }]) => {
    const givenMinor = facts.reduce(
      (sum, { type, data }) =>
        type === 'payment.refunded' && data.reason === key ? sum + data.amountMinor : sum,
      0,
    );
    if (givenMinor > amountMinor) return `${key} of ${amountMinor} gave ${givenMinor} back`;
    return isGiven && givenMinor < amountMinor ? `${key} of ${amountMinor} gave only ${givenMinor}` : '';
  });
}
