import {
  disputeWorkflowId,
  paymentWorkflowId,
  payoutWorkflowId,
  rideWorkflowId,
  workflowTypes,
} from '../../../domain/names';
import { money } from '../../../domain/money';
import { isSettled, type Payment, type PaymentStatus } from '../../../domain/payment';
import type { Policies } from '../../../domain/policies';
import type { Drift } from '../../../domain/reconciliation';
import type { Pool } from '../../../platform/postgres';
import { createCollected, forEachOf } from './collect';
import { mayStartAnew } from './lostPayment';
import { openPages, rowsOf, stepsOfAll } from './pages';
import type { WorkflowState, WorkflowView } from './workflowView';

/** Looks at Temporal at once. */
const WIDTH = 8;
/** A workflow that has nothing more to do ends at once; a timer may be a while late. */
const TO_END_MS = 60_000;
/** A ride that has ended is paid in seconds; a provider that is slow may take minutes. */
const TO_SETTLE_MS = 10 * 60_000;

export interface WorkflowsToCheck {
  readonly pool: Pool;
  readonly workflows: WorkflowView;
  readonly policies: Policies;
  readonly now: () => number;
}

/** What is open has a workflow that runs, and what runs has something open. */
export async function checkWorkflows(house: WorkflowsToCheck, beat: () => void): Promise<readonly Drift[]> {
  const { pool, workflows } = house;
  const collected = createCollected();
  for await (const ids of openPages(pool, 'payment')) {
    const payments = await rowsOf(pool, 'payment', ids);
    await forEachOf([...payments.values()], WIDTH, async (payment) => {
      beat();
      collected.add(...(await judgeOpen(payment, house)));
    });
    if (collected.isFull) return collected.drifts;
  }
  await forEachFamilyOpen(house, (drift) => collected.add(drift), beat);
  for await (const running of workflows.running(workflowTypes.payment)) {
    beat();
    collected.add(...(await judgeRunning(running, house)));
  }
  return collected.drifts;
}

async function judgeOpen(payment: Payment, { pool, workflows, now }: WorkflowsToCheck): Promise<Drift[]> {
  const { rideId, status, owedMinor, unresolved } = payment;
  const workflowId = paymentWorkflowId(rideId);
  const [own, ride] = await Promise.all([workflows.look(workflowId), workflows.look(rideWorkflowId(rideId))]);
  const ids = { rideId, workflowId };
  if (!own?.isRunning) return [await missing(payment, { own, ride, pool })];
  const endedAt = ride?.closedAt ?? null;
  // A ride that the server does not know any more ended long ago; a debt waits for an operator, who sees it elsewhere.
  const isOver = ride === null || (endedAt !== null && now() - Date.parse(endedAt) > TO_SETTLE_MS);
  if (!isOver || (owedMinor > 0 && unresolved === null)) return [];
  return [
    {
      kind: 'payment_overdue',
      ids,
      says: `its ride is over, and the payment is ${status}`,
      cause: unresolved
        ? `the provider has not said what became of ${unresolved.call} since ${unresolved.since}`
        : 'the workflow waits for the provider, or for an operator: its card says for what',
      action: 'have the workflow look at the provider; its card has the next step',
      repair: { does: 'tell_workflow', workflowId, objectId: payment.intentId ?? rideId },
    },
  ];
}

const owing = (owedMinor: number, currency: string): string =>
  owedMinor > 0 ? `, ${money(owedMinor, currency)} are owed` : '';

async function missing(
  payment: Payment,
  { own, ride, pool }: { own: WorkflowState | null; ride: WorkflowState | null; pool: Pool },
): Promise<Drift> {
  const { rideId, status, owedMinor, currency } = payment;
  const safe = ride?.isRunning === true && (await mayStartAnew(pool, payment));
  return {
    kind: 'workflow_missing',
    ids: { rideId, workflowId: paymentWorkflowId(rideId) },
    says: `the payment is ${status}${owing(owedMinor, currency)}, and no workflow carries it`,
    cause:
      own === null
        ? 'it never began, or the server has lost or forgotten it'
        : `it was ended from outside, or failed, at ${own.closedAt}`,
    action: safe ? 'start it anew: it finds what was done' : byHand(own),
    ...(safe ? { repair: { does: 'start_payment', rideId } } : {}),
  };
}

const byHand = (own: WorkflowState | null): string =>
  own === null
    ? 'a new one would not find all that was done: settle it at the provider'
    : 'a new one would not find all that was done: reset it to its last workflow task (`temporal workflow reset`)';

/** Disputes and payouts that are open. Their workflows only look at the provider: one more does no harm. */
async function forEachFamilyOpen(
  { pool, workflows }: WorkflowsToCheck,
  add: (drift: Drift) => void,
  beat: () => void,
): Promise<void> {
  const judge = async (workflowId: string, drift: Omit<Drift, 'kind' | 'action'>): Promise<void> => {
    beat();
    if ((await workflows.look(workflowId))?.isRunning) return;
    add({ ...drift, kind: 'workflow_missing', action: 'begin it anew: it looks at the provider' });
  };
  for await (const ids of openPages(pool, 'dispute'))
    await forEachOf(ids, WIDTH, (disputeId) =>
      judge(disputeWorkflowId(disputeId), {
        ids: { disputeId },
        says: 'the dispute is open, and no workflow carries it',
        repair: { does: 'tell_dispute', disputeId },
      }),
    );
  for await (const ids of openPages(pool, 'payout'))
    await forEachOf(ids, WIDTH, (payoutId) =>
      judge(payoutWorkflowId(payoutId), {
        ids: { payoutId },
        says: 'the payout is under way, and no workflow carries it',
        repair: { does: 'tell_payout', payoutId, objectId: payoutId },
      }),
    );
}

const withWindow: readonly PaymentStatus[] = ['captured', 'partially_refunded', 'refunded'];

async function judgeRunning(
  running: readonly { workflowId: string; startedAt: string }[],
  { pool, policies, now, workflows }: WorkflowsToCheck,
): Promise<Drift[]> {
  const rideIds = running.map(({ workflowId }) => workflowId.slice(paymentWorkflowId('').length));
  const [payments, steps] = [await rowsOf(pool, 'payment', rideIds), await stepsOfAll(pool, rideIds)];
  const windowMs = Math.max(policies.tipWindowMs, policies.refundWindowMs);
  const suspects = running.flatMap(({ workflowId, startedAt }, i): Drift[] => {
    const rideId = rideIds[i]!;
    const payment = payments.get(rideId);
    const ids = { rideId, workflowId };
    const action = 'its card says what it waits for; terminate it where that is nothing';
    if (payment === undefined) {
      const sinceMs = now() - Date.parse(startedAt);
      const says = 'a workflow runs for a payment that was never opened';
      return sinceMs > TO_END_MS ? [{ kind: 'workflow_left_over', ids, says, action }] : [];
    }
    const { status } = payment;
    const restsMs = steps.get(rideId)?.at(-1)?.ageMs ?? 0;
    const mayRunMs = TO_END_MS + (withWindow.includes(status) ? windowMs : 0);
    if (!isSettled(payment) || restsMs <= mayRunMs) return [];
    const says = `the payment is ${status}, nothing can come any more, and its workflow still runs`;
    return [{ kind: 'workflow_left_over', ids, says, action }];
  });
  // Visibility is a moment late: what counts is what the server says of each.
  const sure = await Promise.all(suspects.map(({ ids }) => workflows.look(ids['workflowId']!)));
  return suspects.filter((_, i) => sure[i]?.isRunning);
}
