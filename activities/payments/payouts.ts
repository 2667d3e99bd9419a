import { ApplicationFailure, getClient } from '@temporalio/activity';
import { payoutEntries } from '../../domain/ledger';
import {
  payoutNotCovered,
  payoutWorkflowId,
  searchAttributes,
  taskQueues,
  workflowTypes,
} from '../../domain/names';
import {
  foldPayout,
  payoutMinor,
  payoutSteps,
  type Payout,
  type PayoutFact,
  type PayoutFactType,
  type Transferred,
} from '../../domain/payout';
import { standardPolicies, type Policies } from '../../domain/policies';
import type { PayoutDue, PayoutStart, Recorded, Step } from '../../domain/sagas';
import { startOnce } from '../../platform/startOnce';
import { book } from '../../services/payments/books/ledger';
import { driversWithAccount, payoutAccountOf } from '../../services/payments/books/payoutAccounts';
import {
  getPayout,
  lockOwedTo,
  lockPayout,
  owedTo,
  payoutIdOf,
  putPayout,
} from '../../services/payments/books/payoutStore';
import { returnedOf, transfer, type TransferOrder } from '../../services/payments/provider/transfers';
import { createRecordTransition } from '../outbox';
import { askingProvider, type PaymentActivityOptions } from '../payments';

type PayoutStep = (typeof payoutSteps)[PayoutFactType];

/** One activity a fact: the fact, the row and the booking in one transaction. */
export type PayoutTransitions = Record<PayoutStep, (step: Step<PayoutFact>) => Promise<Recorded<Payout>>>;

/** How the workflow of a payout begins that a batch starts. */
export type DuePayout = PayoutStart & { readonly due: PayoutDue };

/** Who is to be paid out; `after` is where the next page begins, null after the last one. */
export interface PayoutPage {
  readonly due: readonly { readonly payoutId: string; readonly due: PayoutDue }[];
  readonly after: string | null;
}

export type PayoutReads = {
  /** The payout as committed, or null before it was started. */
  committedPayout(payoutId: string): Promise<Payout | null>;
  /** How much the driver is to be paid by now, and where to; null for less than the minimum or without an account. */
  planPayout(
    order: PayoutDue & Pick<Policies, 'payoutMinimums'>,
  ): Promise<{ amountMinor: number; destination: string } | null>;
  /** The drivers after `after`, in the order of their ids: those with an account and a balance of the minimum. */
  payoutPage(order: {
    period: string;
    payoutMinimums: Policies['payoutMinimums'];
    after: string;
    pageSize: number;
  }): Promise<PayoutPage>;
  /** Starts the workflows of payouts; one that was started before, by whatever batch, stays as it is. */
  startPayouts(starts: readonly DuePayout[]): Promise<void>;
};

/** What is asked of the provider about a payout. Each is safe to repeat: it happens once. */
export type PayoutProvider = {
  transfer(order: TransferOrder): Promise<Transferred>;
  /** How much of a transfer has come back, in minor units. */
  returnedOf(order: { transferId: string; currency: string }): Promise<number>;
};

/** Everything that the workflows of payouts do outside of themselves. */
export function createPayoutActivities({
  pool,
  provider,
  vault,
  topicPrefix,
}: PaymentActivityOptions): PayoutTransitions & PayoutReads & PayoutProvider {
  const access = { pool, client: provider };
  const record = createRecordTransition<Payout, PayoutFact>({
    pool,
    vault,
    source: '/hailway/payments',
    ...(topicPrefix === undefined ? {} : { topicPrefix }),
    aggregate: {
      lock: lockPayout,
      fold: foldPayout,
      save: async (tx, { after, fact, stepId }) => {
        const { payoutId, driverId, currency, amountMinor } = after;
        if (fact.type === 'payout.started' && (await lockOwedTo(tx, driverId, currency)) < amountMinor)
          throw ApplicationFailure.nonRetryable('The balance is less by now.', payoutNotCovered);
        await putPayout(tx, after);
        const entries = payoutEntries(fact);
        await book(tx, { stepId, payoutId, kind: fact.type, recordedAt: fact.at, entries });
      },
    },
  });
  return {
    ...(Object.fromEntries(Object.values(payoutSteps).map((step) => [step, record])) as PayoutTransitions),
    committedPayout: (payoutId) => getPayout(pool, payoutId),
    // Batches and payouts that began before there were minimums by currency bring none.
    async planPayout({ driverId, currency, payoutMinimums = standardPolicies.payoutMinimums }) {
      const [owed, destination] = await Promise.all([
        owedTo(pool, driverId),
        payoutAccountOf(pool, driverId),
      ]);
      const amountMinor = payoutMinor(owed.get(currency) ?? 0, currency, payoutMinimums);
      return destination === null || amountMinor === 0 ? null : { amountMinor, destination };
    },
    async payoutPage({ period, payoutMinimums = standardPolicies.payoutMinimums, after, pageSize }) {
      const drivers = await driversWithAccount(pool, after, pageSize);
      const due: PayoutDue[] = [];
      for (const driverId of drivers)
        for (const [currency, owedMinor] of await owedTo(pool, driverId))
          if (payoutMinor(owedMinor, currency, payoutMinimums) > 0) due.push({ driverId, currency, period });
      const last = drivers.at(-1);
      return {
        due: due.map((one) => ({ payoutId: payoutIdOf(one), due: one })),
        after: last === undefined || drivers.length < pageSize ? null : last,
      };
    },
    startPayouts: async (starts) => void (await Promise.all(starts.map(startPayout))),
    transfer: (order) => askingProvider(() => transfer(access, order)),
    returnedOf: (order) => askingProvider(() => returnedOf(access, order)),
  };
}

const startPayout = (start: DuePayout): Promise<void> =>
  startOnce(getClient(), workflowTypes.payout, {
    workflowId: payoutWorkflowId(start.payoutId),
    staticSummary: `${start.due.driverId}, ${start.due.currency}, ${start.due.period}`,
    typedSearchAttributes: [{ key: searchAttributes.driverId, value: start.due.driverId }],
    taskQueue: taskQueues.payments,
    args: [start],
  });
