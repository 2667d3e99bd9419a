import { paymentNeedsView, type PaymentNeedsView } from '../../contracts/api/needs';
import { money } from '../../domain/money';
import { paymentNeeds } from '../../domain/paymentNeeds';
import { UsageError } from '../commandLine';
import { textOptions } from './arguments';
import {
  asOperator,
  cardLines,
  getFromApi,
  linkTo,
  operatorOptions,
  paragraph,
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
  return asOperator(options, env, async (sources) => {
    let count = 0;
    for await (const line of needyLines(sources, need)) {
      process.stdout.write(`${line}\n`);
      count += 1;
    }
    if (count === 0) process.stdout.write('No payment needs anybody.\n');
    return count === 0 ? 0 : 1;
  });
}

/** A paragraph for each, page by page. */
export async function* needyLines(sources: OperatorSources, need?: string): AsyncGenerator<string> {
  let after: string | undefined;
  do {
    const page = await getFromApi(sources, '/v1/ops/payments', { need, after }, paymentNeedsView);
    for (const payment of page.payments) yield await describe(sources, payment);
    after = page.next ?? undefined;
    if (page.incomplete) yield 'More payments are stuck than were looked at: some are not listed.';
  } while (after !== undefined);
}

async function describe(
  sources: OperatorSources,
  payment: PaymentNeedsView['payments'][number],
): Promise<string> {
  const { rideId, workflowId, need, status, isStuck, currency, owedMinor, since, reason, action } = payment;
  return paragraph(`${rideId} is ${status} since ${since}: ${paymentNeeds[need].is}`, [
    ...(owedMinor === 0 ? [] : [`owed: ${money(owedMinor, currency)}`]),
    ...(reason === null ? [] : [`reason: ${reason}`]),
    ...(isStuck ? await cardLines(sources.temporal, workflowId) : [`next: ${action}`]),
    linkTo(sources, workflowId),
  ]);
}
