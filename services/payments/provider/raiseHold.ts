import type { Raised } from '../../../domain/paymentCalls';
import { fromProvider, toProvider } from './amounts';
import { declineReason, refusalReason, withIdempotencyKey, type ProviderAccess } from './client';

/**
 * Raises a ride's hold to `toMinor` in all, once for each change, however often it is called. The intent is looked at
 * first: a raise whose answer was lost shows there. A declined raise leaves the hold as it was.
 * @throws whatever leaves the outcome unknown: call again
 */
export async function raiseHold(
  access: ProviderAccess,
  order: { rideId: string; intentId: string; changeId: string; toMinor: number },
): Promise<Raised> {
  const { rideId, intentId, changeId, toMinor } = order;
  const { client } = access;
  const { status, amount: held, currency } = await client.paymentIntents.retrieve(intentId);
  if (status !== 'requires_capture') return { raised: false, reason: `hold_${status}` };
  if (fromProvider(held, currency) >= toMinor) return { raised: true };
  try {
    const amount = toProvider(toMinor, currency);
    await withIdempotencyKey(access, `${rideId}/raise/${changeId}`, (idempotencyKey) =>
      client.paymentIntents.incrementAuthorization(intentId, { amount }, { idempotencyKey }),
    );
    return { raised: true };
  } catch (error) {
    const reason = declineReason(error) ?? (refusalReason(error) && 'hold_cannot_be_raised');
    if (reason === undefined) throw error;
    return { raised: false, reason };
  }
}
