import type Stripe from 'stripe';
import type { ProviderClient } from '../provider/client';
import { inPages } from './collect';

/** Ids of the provider’s objects. */
export type Changed = Readonly<Record<'refundId' | 'transferId' | 'disputeId', ReadonlySet<string>>>;

/** What says that something which was made long ago is not what it was. */
const types: Stripe.EventListParams['types'] = [
  'refund.updated',
  'refund.failed',
  'charge.refund.updated',
  'transfer.updated',
  'transfer.reversed',
  'charge.dispute.updated',
  'charge.dispute.closed',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.funds_reinstated',
];

const names: Readonly<Record<string, keyof Changed>> = {
  refund: 'refundId',
  transfer: 'transferId',
  dispute: 'disputeId',
};

/**
 * What has changed at the provider, by its own list of events, whoever was told of them. It keeps them for 30 days
 * (https://docs.stripe.com/api/events).
 * @param gte from when on, in seconds since 1970
 */
export async function changedSince(client: ProviderClient, gte: number, beat: () => void): Promise<Changed> {
  const changed = {
    refundId: new Set<string>(),
    transferId: new Set<string>(),
    disputeId: new Set<string>(),
  };
  const limit = 100;
  for await (const page of inPages(client.events.list({ types, created: { gte }, limit }), limit)) {
    beat();
    for (const { data } of page) {
      const { id, object } = data.object as { readonly id: string; readonly object: string };
      const name = names[object];
      if (name !== undefined) changed[name].add(id);
    }
  }
  return changed;
}
