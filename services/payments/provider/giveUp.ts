import type { Charged } from '../../../domain/paymentCalls';
import { resolvedByOperator } from '../../../domain/operatorsWord';
import { buryIntent, type IntentRef } from '../books/paymentStore';
import { cancelIntent } from './cancelIntent';
import type { ProviderAccess } from './client';

/**
 * Sees to it that a charge which may have come about, or may still, does not: no intent is confirmed for it from here on,
 * and the one that was made is cancelled. Tolerates that there is none.
 * @returns the charge, where it had come about
 * @throws whatever leaves the outcome unknown: call again
 */
export async function giveUpCharge(access: ProviderAccess, ref: IntentRef): Promise<Charged> {
  const intentId = await buryIntent(access.pool, ref);
  if (intentId !== null) {
    const { status } = await cancelIntent(access, intentId, `${intentId}/give-up`);
    if (status === 'succeeded') return { charged: true, intentId };
  }
  return { charged: false, reason: resolvedByOperator };
}
