import Stripe from 'stripe';
import type { Transferred } from '../../../domain/payout';
import { fromProvider, toProvider } from './amounts';
import { idOf, orNull, refusalReason, withIdempotencyKey, type ProviderAccess } from './client';

export interface TransferOrder {
  readonly payoutId: string;
  readonly driverId: string;
  readonly period: string;
  readonly destination: string;
  readonly amountMinor: number;
  readonly currency: string;
}

/**
 * Sends a payout to the driver's account, once, however often it is called. The provider's transfers are asked first:
 * they remember longer than it keeps idempotency keys, and a transfer whose answer was lost is found by its group. One of
 * another amount or to another account is not taken for this one: an operator hears of it from the reconciliation.
 * @throws whatever leaves the outcome unknown: call again
 */
export async function transfer(access: ProviderAccess, order: TransferOrder): Promise<Transferred> {
  const { payoutId, driverId, period, destination, amountMinor, currency } = order;
  const [sent] = (await access.client.transfers.list({ transfer_group: payoutId, limit: 1 })).data;
  if (sent !== undefined)
    return isAsOrdered(sent, order)
      ? { transferred: true, transferId: sent.id }
      : { transferred: false, reason: 'transferred_otherwise' };
  const step = `${payoutId}/transfer/1`;
  try {
    const { id } = await withIdempotencyKey(access, step, (idempotencyKey) =>
      access.client.transfers.create(
        {
          amount: toProvider(amountMinor, currency),
          currency: currency.toLowerCase(),
          destination,
          transfer_group: payoutId,
          metadata: { payoutId, driverId, period },
        },
        { idempotencyKey },
      ),
    );
    return { transferred: true, transferId: id };
  } catch (error) {
    if (isShortOfFunds(error)) throw error;
    const reason = refusalReason(error);
    if (reason === undefined) throw error;
    return { transferred: false, reason };
  }
}

const isAsOrdered = (
  { amount, currency, destination }: Stripe.Transfer,
  order: Pick<TransferOrder, 'amountMinor' | 'currency' | 'destination'>,
): boolean =>
  currency.toUpperCase() === order.currency &&
  fromProvider(amount, currency) === order.amountMinor &&
  idOf(destination) === order.destination;

/** The house has not enough at the provider: no fault of the driver's, and it goes on when there is more. */
const isShortOfFunds = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeError && error.code === 'balance_insufficient';

/** How much of a transfer has come back, in minor units of `currency`: nothing of one that the provider does not know. */
export async function returnedOf(
  { client }: ProviderAccess,
  { transferId, currency }: { readonly transferId: string; readonly currency: string },
): Promise<number> {
  const transfer = await orNull(client.transfers.retrieve(transferId));
  return transfer === null ? 0 : fromProvider(transfer.amount_reversed, currency);
}
