/** Why an issuer declines, in Stripe's words. */
export interface Decline {
  readonly code: string;
  readonly decline_code?: string;
  readonly message: string;
}

const declined: Decline = {
  code: 'card_declined',
  decline_code: 'generic_decline',
  message: 'Your card was declined.',
};

const insufficientFunds: Decline = {
  code: 'card_declined',
  decline_code: 'insufficient_funds',
  message: 'Your card has insufficient funds.',
};

/** The test payment methods of https://docs.stripe.com/testing; `null`: the charge goes through. */
const testCards: ReadonlyMap<string, Decline | null> = new Map<string, Decline | null>([
  ['pm_card_visa', null],
  ['pm_card_visa_debit', null],
  ['pm_card_mastercard', null],
  ['pm_card_amex', null],
  ['pm_card_visa_chargeDeclined', declined],
  ['pm_card_visa_chargeDeclinedInsufficientFunds', insufficientFunds],
  ['pm_card_visa_incrementDeclined', null],
  ['pm_card_chargeCustomerFail', declined],
  ['pm_card_chargeDeclinedExpiredCard', { code: 'expired_card', message: 'Your card has expired.' }],
]);

/** The sandbox's own: Stripe names no card whose hold comes about and cannot be raised. */
const raiseDeclined = 'pm_card_visa_incrementDeclined';

/** Why the issuer does not raise a hold on this card; null where it does. */
export const raiseOutcomeOf = (paymentMethod: string | null): Decline | null =>
  paymentMethod === raiseDeclined ? insufficientFunds : null;

/** `undefined`: there is no such payment method; `null`: it pays; otherwise why it is declined. */
export function outcomeOf(paymentMethod: string): Decline | null | undefined {
  return testCards.get(paymentMethod);
}
