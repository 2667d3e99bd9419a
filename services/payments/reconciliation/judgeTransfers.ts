import type Stripe from 'stripe';
import type { Dispute } from '../../../domain/dispute';
import type { Payout } from '../../../domain/payout';
import type { Drift, Repair } from '../../../domain/reconciliation';
import { fromProvider } from '../provider/amounts';

/** Whether a transfer is the one of its payout, with the same amount, and back where that came back. */
export function judgeTransfer(transfer: Stripe.Transfer, payoutId: string, payout: Payout | null): Drift[] {
  const { amount, amount_reversed: reversed } = transfer;
  const movedMinor = fromProvider(amount - reversed, transfer.currency);
  const isOurs = payout?.transferId === transfer.id;
  const saidMinor = isOurs ? payout.amountMinor - payout.returnedMinor : 0;
  const byMinor = movedMinor - saidMinor;
  const isBooked = isOurs || payout?.status === 'failed';
  // A transfer that came back in full before anybody heard of it has still to be told.
  if (byMinor === 0 && isBooked) return [];
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

/** An inquiry moves no money, nor does a dispute that was prevented. */
const movesMoney = ({ status }: Stripe.Dispute): boolean =>
  status !== 'prevented' && !status.startsWith('warning_');

/** Whether a dispute of the provider’s is ours, over the same amount, and stands where we say. */
export function judgeDispute(found: Stripe.Dispute, rideId: string, dispute: Dispute | null): Drift[] {
  if (!movesMoney(found)) return [];
  const currency = found.currency.toUpperCase();
  const theirsMinor = fromProvider(found.amount, found.currency);
  const common = { kind: 'dispute_differs', ids: { rideId, disputeId: found.id }, currency } as const;
  const repair: Repair = { does: 'tell_dispute', disputeId: found.id };
  const cause = 'the provider’s news of it was lost, or is still on its way';
  const action = 'have the dispute’s workflow look at the provider';
  if (dispute === null) {
    const says = 'the bank has taken money back, and it is not booked';
    return [{ ...common, byMinor: theirsMinor, says, cause, action, repair }];
  }
  const byMinor = theirsMinor - dispute.amountMinor;
  if (byMinor !== 0) {
    const says = 'another amount is disputed than is booked';
    return [{ ...common, byMinor, says, action: 'an operator asks the provider which is right' }];
  }
  const theirs = found.status === 'won' || found.status === 'lost' ? found.status : 'open';
  const ours = dispute.closedAt === null ? 'open' : dispute.status;
  if (theirs === ours) return [];
  const says = `the provider says that it is ${theirs}, our facts that it is ${ours}`;
  return ours === 'open'
    ? [{ ...common, says, cause, action, repair }]
    : [{ ...common, says, action: 'an operator asks the provider which is right' }];
}
