import type { Client } from '@temporalio/client';
import { validate as isUuid } from 'uuid';
import { operations } from '../../../contracts/api/operations';
import type { PaymentNeedsView } from '../../../contracts/api/needs';
import {
  lateRefundsWorkflowId,
  paymentWorkflowId,
  searchAttributes,
  workflowTypes,
} from '../../../domain/names';
import { paymentNeeds } from '../../../domain/paymentNeeds';
import { DependencyUnavailable } from '../../../platform/errors';
import type { MountOperation } from '../../../platform/http';
import type { Pool } from '../../../platform/postgres';
import { accountBalances, balanceSheet } from '../books/balanceSheet';
import { needyPayments, type NeedyPayment } from '../books/needyPayments';

export interface PaymentOverviewOptions {
  readonly payments: Pool;
  readonly temporal: Client;
  /** How long Temporal may take to say which payments are stuck, in milliseconds. */
  readonly deadlineMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** How many payments that are stuck are looked at. */
const MOST_STUCK = 1_000;

/** What operators see of all payments together: the balances, and those that need somebody. */
export function paymentOverviewRoutes(mount: MountOperation, options: PaymentOverviewOptions): void {
  const { payments, now } = options;

  mount(operations.listBalances, async ({ query: { account, at = null, after = null, limit } }) => {
    if (account === undefined)
      return { status: 200, body: { balances: await balanceSheet(payments, at), next: null } };
    const found = await accountBalances(payments, { account, after, limit, at });
    const isFull = new Set(found.map((balance) => balance.account)).size === limit;
    return {
      status: 200,
      body: {
        balances: found.map((balance) => ({ ...balance, accounts: balance.amountMinor === 0 ? 0 : 1 })),
        next: isFull ? found.at(-1)!.account : null,
      },
    };
  });

  mount(operations.listPaymentNeeds, async ({ query: { need = null, after = null, limit } }) => {
    const stuck = await stuckPayments(options);
    const at = new Date(now()).toISOString();
    const found = await needyPayments(payments, { need, after, limit, stuck: [...stuck.keys()], at });
    return {
      status: 200,
      body: {
        payments: found.map((needy) => view(needy, stuck)),
        next: found.length === limit ? found.at(-1)!.payment.rideId : null,
        incomplete: stuck.size === MOST_STUCK,
      },
    };
  });
}

const query =
  `WorkflowType in ('${workflowTypes.payment}', '${workflowTypes.lateRefunds}') ` +
  `and ${searchAttributes.stuck.name} = true and ExecutionStatus = 'Running'`;

/** The rides of whose payments a workflow says that it is stuck, and which one: the newest first. */
async function stuckPayments({
  temporal,
  deadlineMs,
}: PaymentOverviewOptions): Promise<ReadonlyMap<string, string>> {
  const list = async (): Promise<Map<string, string>> => {
    const found = new Map<string, string>();
    for await (const { workflowId, type } of temporal.workflow.list({ query })) {
      const idOf = type === workflowTypes.payment ? paymentWorkflowId : lateRefundsWorkflowId;
      const rideId = workflowId.slice(idOf('').length);
      if (isUuid(rideId)) found.set(rideId, workflowId);
      if (found.size === MOST_STUCK) break;
    }
    return found;
  };
  try {
    return await temporal.withDeadline(Date.now() + deadlineMs, list);
  } catch (error) {
    throw new DependencyUnavailable('the list of workflows', { cause: error });
  }
}

function view(
  { payment, need, isStuck, since, reason }: NeedyPayment,
  stuck: ReadonlyMap<string, string>,
): PaymentNeedsView['payments'][number] {
  const { rideId, status, currency, owedMinor, refundFailedMinor, unresolved, failureReason } = payment;
  const workflowId = stuck.get(rideId) ?? paymentWorkflowId(rideId);
  return {
    ...{ rideId, workflowId, need, status, isStuck, currency, owedMinor, refundFailedMinor, since },
    reason: unresolved === null ? failureReason : `${unresolved.call}: ${reason}`,
    action: paymentNeeds[need].action,
  };
}
