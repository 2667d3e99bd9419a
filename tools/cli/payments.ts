import { paymentNeedsView, type PaymentNeedsView } from '../../contracts/api/needs';
import { money } from '../../domain/money';
import { paymentNeeds } from '../../domain/paymentNeeds';
import { UsageError } from '../commandLine';
import { textOptions } from './arguments';
import {
  asOperator,
  cardLines,
  linkTo,
  operatorOptions,
  pagesFromApi,
  paragraph,
  printLines,
  type OperatorSources,
} from './operatorApi';

/**
 * `npx hailway payments`: those that need somebody, with the link to the reason and what to do.
 * @returns 0 when none does, 1 when one does, or when nobody can say
 */
export async function payments(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options = textOptions(argv, [...operatorOptions, 'need']);
  const { need } = options;
  if (need !== undefined && !Object.hasOwn(paymentNeeds, need))
    throw new UsageError(`--need takes one of ${Object.keys(paymentNeeds).join(', ')}`);
  return asOperator(options, env, async (sources) =>
    (await printLines(needyLines(sources, need), 'No payment needs anybody.')) ? 1 : 0,
  );
}

/** A paragraph for each, page by page. */
export async function* needyLines(sources: OperatorSources, need?: string): AsyncGenerator<string> {
  for await (const page of pagesFromApi(sources, '/v1/ops/payments', { need }, paymentNeedsView)) {
    for (const payment of page.payments) yield await describe(sources, payment);
    if (page.incomplete) yield 'More payments are stuck than were looked at: some are not listed.';
  }
}

async function describe(
  sources: OperatorSources,
  payment: PaymentNeedsView['payments'][number],
): Promise<string> {
  const { rideId, workflowId, need, status, isStuck, currency, since, reason, action } = payment;
  const { owedMinor, refundFailedMinor } = payment;
  return paragraph(`${rideId} is ${status} since ${since}: ${paymentNeeds[need].is}`, [
    ...(owedMinor === 0 ? [] : [`owed: ${money(owedMinor, currency)}`]),
    ...(refundFailedMinor === 0 ? [] : [`could not go back: ${money(refundFailedMinor, currency)}`]),
    ...(reason === null ? [] : [`reason: ${reason}`]),
    ...(isStuck ? await cardLines(sources.temporal, workflowId) : [`next: ${action}`]),
    linkTo(sources, workflowId),
  ]);
}
