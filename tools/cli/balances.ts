import { balancesView, type BalancesView } from '../../contracts/api/ledger';
import { money } from '../../domain/money';
import { UsageError } from '../commandLine';
import { textOptions } from './arguments';
import { asOperator, getFromApi, operatorOptions, type OperatorSources } from './operatorApi';

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
    let count = 0;
    for await (const line of balanceLines(sources, asked)) {
      process.stdout.write(`${line}\n`);
      count += 1;
    }
    if (count === 0) process.stdout.write('Nothing was booked there.\n');
    return 0;
  });
}

/** A line for each balance, page by page. */
export async function* balanceLines(
  sources: Pick<OperatorSources, 'apiUrl' | 'token'>,
  asked: { readonly account?: string | undefined; readonly at?: string | undefined },
): AsyncGenerator<string> {
  let after: string | undefined;
  do {
    const page = await getFromApi(sources, '/v1/ops/ledger/balances', { ...asked, after }, balancesView);
    for (const balance of page.balances) yield describe(balance);
    after = page.next ?? undefined;
  } while (after !== undefined);
}

/** Without a sign: accounts are read as debits and credits. */
function describe({ account, currency, amountMinor, accounts }: Line): string {
  const side = amountMinor === 0 ? '' : amountMinor > 0 ? ' debit' : ' credit';
  const many = accounts < 2 ? '' : `   (${accounts} accounts)`;
  return `${account.padEnd(28)} ${money(Math.abs(amountMinor), currency).padStart(20)}${side.padEnd(7)}${many}`.trimEnd();
}
