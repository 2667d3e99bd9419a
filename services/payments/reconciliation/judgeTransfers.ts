import type Stripe from 'stripe';
import type { Dispute, DisputeStatus } from '../../../domain/dispute';
import type { Payout } from '../../../domain/payout';
import type { Drift, Repair } from '../../../domain/reconciliation';
import { fromProvider } from '../provider/amounts';
import { standsOf } from '../provider/disputes';

/** Whether a transfer is the one of its payout, with the same amount, and back where that came back. */
export function judgeTransfer(transfer: Stripe.Transfer, payoutId: string, payout: Payout | null): Drift[] {
  const { amount, amount_reversed: reversed } = transfer;
  const movedMinor = fromProvider(amount - reversed, transfer.currency);
  const isOurs = payout?.transferId === transfer.id;
  const saidMinor = isOurs ? payout.amountMinor - payout.returnedMinor : 0;
  const byMinor = movedMinor - saidMinor;
  // A transfer that came back in full before anybody heard of it has still to be told.
  if (byMinor === 0 && payout?.status !== 'started') return [];
  const common = {
    kind: 'transfer_differs',
    ids: { payoutId, transferId: transfer.id },
    ...{ byMinor, currency: transfer.currency.toUpperCase() },
  } as const;
  const look: Repair = { does: 'tell_payout', payoutId, objectId: transfer.id };
  const action = 'have the payout’s workflow look at the provider';
  if (payout === null)
    return [
      {
        ...common,
        says: 'the provider has paid out for a payout that we do not know',
        action: 'an operator asks for it back: reverse it at the provider where it is nobody’s',
      },
    ];
  if (payout.status === 'started') {
    const cause = 'the answer to the transfer is still on its way, or was lost';
    return [{ ...common, says: 'paid out, and not booked as paid', cause, action, repair: look }];
  }
  if (isOurs && byMinor < 0) {
    const cause = 'the provider’s news of it was lost';
    return [{ ...common, says: 'more came back of a payout than is booked', cause, action, repair: look }];
  }
  return [
    {
      ...common,
      says: isOurs
        ? `another amount is with the driver than the payout, which is ${payout.status}, says`
        : `one transfer more than the payout, which is ${payout.status}, knows of`,
      action: 'an operator compares both, and reverses at the provider what is too much',
    },
  ];
}

/** How far a dispute has come; whose turn it is to say something does not count. */
const phases = {
  inquiry: 'an inquiry',
  inquiry_answered: 'an inquiry',
  inquiry_closed: 'a closed inquiry',
  needs_response: 'open',
  under_review: 'open',
  won: 'won',
  lost: 'lost',
} as const satisfies Record<DisputeStatus, string>;

/** Whether a dispute of the provider’s is ours, over the same amount, and stands where we say. An inquiry moves no money. */
export function judgeDispute(found: Stripe.Dispute, rideId: string, dispute: Dispute | null): Drift[] {
  const theirs = phases[standsOf(found)];
  const currency = found.currency.toUpperCase();
  const theirsMinor = fromProvider(found.amount, found.currency);
  const common = { kind: 'dispute_differs', ids: { rideId, disputeId: found.id } } as const;
  const look = {
    cause: 'the provider’s news of it was lost, or is still on its way',
    action: 'have the dispute’s workflow look at the provider',
    repair: { does: 'tell_dispute', disputeId: found.id },
  } as const;
  const ask = { action: 'an operator asks the provider which is right' };
  if (dispute === null) {
    if (theirs === 'a closed inquiry') return [];
    if (theirs === 'an inquiry')
      return [{ ...common, ...look, says: 'the bank asks about a charge, and nobody knows of it' }];
    const says = 'the bank has taken money back, and it is not booked';
    return [{ ...common, ...look, byMinor: theirsMinor, currency, says }];
  }
  const byMinor = theirsMinor - dispute.amountMinor;
  if (byMinor !== 0)
    return [{ ...common, ...ask, byMinor, currency, says: 'another amount is disputed than we know of' }];
  const ours = phases[dispute.status];
  if (theirs === ours) return [];
  const says = `the provider says that it is ${theirs}, our facts that it is ${ours}`;
  return [{ ...common, ...(ours === 'won' || ours === 'lost' ? ask : look), says }];
}
