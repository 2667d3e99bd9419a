import type Stripe from 'stripe';
import { v7 as uuidv7 } from 'uuid';
import { createPaymentActivities } from '../../../activities/payments';
import { stepId } from '../../../domain/names';
import { capturedData } from '../../../domain/paymentPlan';
import { paymentSteps, type PaymentFact } from '../../../domain/paymentFacts';
import { standardPolicies } from '../../../domain/policies';
import type { Pool } from '../../../platform/postgres';
import { storeIntentId } from '../../../services/payments/books/paymentStore';
import { inHands } from '../ground';
import { vaultInMemory } from '../../vaultInMemory';

const AT_ONCE = 16;
const DRIVERS = 500;
const currency = 'USD';
const amountMinor = 1_500;

/**
 * Payments that were captured, as the house leaves them: rows, facts, bookings and the provider's money; of their
 * workflows, which are over, nothing.
 */
export async function fillBooks(
  { pool, provider }: { readonly pool: Pool; readonly provider: Stripe },
  count: number,
): Promise<void> {
  const { transitions } = createPaymentActivities({ pool, provider, vault: vaultInMemory() });
  await inHands({ count, atOnce: AT_ONCE }, async (n) => {
    const rideId = uuidv7();
    const { id: intentId } = await provider.paymentIntents.create({
      ...{ amount: amountMinor, currency: 'usd', confirm: true, payment_method: 'pm_card_visa' },
      ...{ allowed_payment_method_types: ['card'], metadata: { rideId } },
    });
    await storeIntentId(pool, { paymentId: rideId, purpose: 'hold', intentVersion: 1 }, intentId);
    for (const [expectedVersion, fact] of factsOf(rideId, intentId, n).entries()) {
      const step = paymentSteps[fact.type];
      const id = stepId(rideId, step, expectedVersion);
      await transitions[step]({ stepId: id, aggregateId: rideId, expectedVersion, fact });
    }
  });
}

function factsOf(rideId: string, intentId: string, n: number): PaymentFact[] {
  const at = new Date().toISOString();
  const order = { rideId, riderId: `rider-${n}`, amountMinor, currency } as const;
  const method = { type: 'card', token: 'pm_card_visa' } as const;
  const outcome = { amountMinor, driverId: `driver-${n % DRIVERS}`, taxMinor: 120 };
  const taken = { intentId, takenMinor: amountMinor };
  const { commissionBasisPoints } = standardPolicies;
  return [
    { type: 'payment.opened', at, data: { ...order, method } },
    { type: 'payment.authorized', at, data: { intentId, amountMinor, currency } },
    { type: 'payment.captured', at, data: capturedData(order, outcome, taken, commissionBasisPoints) },
  ];
}
