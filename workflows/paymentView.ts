import { money } from '../domain/money';
import type { Payment } from '../domain/payment';
import type { Policies } from '../domain/policies';
import { SagaView } from './sagaView';

/** What an operator sees of a payment in Temporal's web UI: its card, and whether it is stuck. */
export class PaymentView extends SagaView<Payment> {
  constructor(policies: Policies) {
    const subject = { where: 'opening', version: 0, about: 'nothing is asked for yet' };
    super(policies, subject, (payment) => ({
      where: payment.status,
      version: payment.version,
      about: moneyOf(payment),
    }));
  }
}

function moneyOf({ amountMinor, currency, method, intentId, capturedMinor }: Payment): string {
  const held = `${method.type}: ${money(amountMinor, currency)}`;
  const captured = capturedMinor > 0 ? `; captured: ${money(capturedMinor, currency)}` : '';
  return `${held}${captured}; at the provider: ${intentId === null ? 'none' : `\`${intentId}\``}`;
}
