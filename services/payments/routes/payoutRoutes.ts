import type { Pool } from 'pg';
import { operations } from '../../../contracts/api/operations';
import type { EarningsView } from '../../../contracts/api/payouts';
import { payoutMinimumMinor, type Payout } from '../../../domain/payout';
import type { Policies } from '../../../domain/policies';
import type { MountOperation } from '../../../platform/http';
import { changePayoutAccount, payoutAccountOf } from '../books/payoutAccounts';
import { owedTo, payoutsOf } from '../books/payoutStore';

export interface PayoutRoutesOptions {
  /** Of the payments database. */
  readonly payments: Pool;
  readonly policies: Policies;
  /** Kafka topics' prefix. */
  readonly topicPrefix: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const MOST_PAYOUTS = 52;

/** What drivers see of their money, and where it goes. */
export function payoutRoutes(mount: MountOperation, options: PayoutRoutesOptions): void {
  const { payments, policies, topicPrefix, now } = options;

  mount(operations.setPayoutAccount, async ({ body, caller }) => {
    await changePayoutAccount(payments, {
      driverId: caller.sub,
      destination: body.destination,
      at: new Date(now()).toISOString(),
      topicPrefix,
    });
    return { status: 200, body };
  });

  mount(operations.getEarnings, async ({ caller }) => {
    const [owed, payoutAccount, payouts] = await Promise.all([
      owedTo(payments, caller.sub),
      payoutAccountOf(payments, caller.sub),
      payoutsOf(payments, caller.sub, MOST_PAYOUTS),
    ]);
    const view: EarningsView = {
      balances: [...owed].map(([currency, amountMinor]) => ({
        ...{ currency, amountMinor },
        payoutMinimumMinor: payoutMinimumMinor(currency, policies.payoutMinimums),
      })),
      payoutAccount,
      payouts: payouts.map(viewPayout),
    };
    return { status: 200, body: view };
  });
}

function viewPayout(payout: Payout): EarningsView['payouts'][number] {
  const { payoutId, period, amountMinor, currency, status, returnedMinor, destination, reason } = payout;
  return { payoutId, period, amountMinor, currency, status, returnedMinor, destination, reason };
}
