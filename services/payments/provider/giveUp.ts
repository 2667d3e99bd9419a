import type { Charged } from '../../../domain/paymentCalls';
import { resolvedByOperator } from '../../../domain/operatorsWord';
import { buryIntent, type IntentRef } from '../books/paymentStore';
import { withIdempotencyKey, type ProviderAccess } from './client';

/**
 * Sees to it that a charge which may have come about, or may still, does not: no intent is confirmed for it from here on,
 * and the one that was made is cancelled. Tolerates that there is none.
 * @returns the charge, where it had come about
 * @throws whatever leaves the outcome unknown: call again
 */
export async function giveUpCharge(access: ProviderAccess, ref: IntentRef): Promise<Charged> {
  const { client, pool } = access;
  const intentId = await buryIntent(pool, ref);
  if (intentId !== null) {
    const { status } = await client.paymentIntents.retrieve(intentId);
    if (status === 'succeeded') return { charged: true, intentId };
    if (status !== 'canceled')
      await withIdempotencyKey(access, `${intentId}/give-up`, (idempotencyKey) =>
        client.paymentIntents.cancel(intentId, {}, { idempotencyKey }),
      );
  }
  return { charged: false, reason: resolvedByOperator };
}
