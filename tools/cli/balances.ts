import { balancesView, type BalancesView } from '../../contracts/api/ledger';
import { money } from '../../domain/money';
import { UsageError } from '../commandLine';
import { textOptions } from './arguments';
import { asOperator, operatorOptions, pagesFromApi, printLines, type OperatorSources } from './operatorApi';

type Line = BalancesView['balances'][number];

/**
 * `npx hailway balances`: what each kind of account holds, or each account of a kind, now or at a time.
 * @returns 0, or 1 where nobody can say
 */
export async function balances(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const options = textOptions(argv, [...operatorOptions, 'account', 'at']);
  const { account, at } = options;
  if (at !== undefined && Number.isNaN(Date.parse(at)))
    throw new UsageError(`--at takes a time (2026-11-21T14:00:00Z), not ${JSON.stringify(at)}`);
  const asked = { account, at: at === undefined ? undefined : new Date(at).toISOString() };
  return asOperator(options, env, async (sources) => {
    await printLines(balanceLines(sources, asked), 'Nothing was booked there.');
    return 0;
  });
}

/** A line for each balance, page by page. */
export async function* balanceLines(
  sources: Pick<OperatorSources, 'apiUrl' | 'token'>,
  asked: { readonly account?: string | undefined; readonly at?: string | undefined },
): AsyncGenerator<string> {
  for await (const page of pagesFromApi(sources, '/v1/ops/ledger/balances', asked, balancesView))
    for (const balance of page.balances) yield describe(balance);
}

/** Without a sign: accounts are read as debits and credits. */
function describe({ account, currency, amountMinor, accounts }: Line): string {
  const side = amountMinor === 0 ? '' : amountMinor > 0 ? ' debit' : ' credit';
  const many = accounts < 2 ? '' : `   (${accounts} accounts)`;
  return `${account.padEnd(28)} ${money(Math.abs(amountMinor), currency).padStart(20)}${side.padEnd(7)}${many}`.trimEnd();
}
