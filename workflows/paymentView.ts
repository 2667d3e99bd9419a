import { money } from '../domain/money';
import type { Payment } from '../domain/payment';
import { paymentInOrder, paymentPhase } from '../domain/paymentNeeds';
import type { Policies } from '../domain/policies';
import { SagaView } from './sagaView';

/** What an operator sees of a payment in Temporal's web UI: its card, and whether it is stuck. */
export class PaymentView extends SagaView<Payment> {
  constructor(policies: Policies) {
    const subject = {
      where: 'opening',
      version: 0,
      about: 'nothing is asked for yet',
      phase: paymentInOrder,
    };
    super(policies, subject, (payment) => ({
      where: payment.status,
      version: payment.version,
      about: moneyOf(payment),
      phase: paymentPhase(payment),
    }));
  }
}

/** What is held, was taken and is owed, and why where it is not as it should be. */
function moneyOf(payment: Payment): string {
  const { amountMinor, currency, method, intentId, capturedMinor, owedMinor } = payment;
  const { refundFailedMinor, unresolved, failureReason } = payment;
  return [
    `${method.type}: ${money(amountMinor, currency)}`,
    ...(capturedMinor > 0 ? [`captured: ${money(capturedMinor, currency)}`] : []),
    ...(owedMinor > 0 ? [`owed: ${money(owedMinor, currency)}`] : []),
    ...(refundFailedMinor > 0 ? [`failed to go back: ${money(refundFailedMinor, currency)}`] : []),
    ...(unresolved === null ? [] : [`in doubt since ${unresolved.since}: ${unresolved.call}`]),
    ...(failureReason === null || paymentPhase(payment) === paymentInOrder
      ? []
      : [`reason: \`${failureReason}\``]),
    `at the provider: ${intentId === null ? 'none' : `\`${intentId}\``}`,
  ].join('; ');
}
