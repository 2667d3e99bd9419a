/** Why an issuer declines, in Stripe's words. */
export interface Decline {
  readonly code: string;
  readonly decline_code?: string;
  readonly message: string;
}

/** What a test card does; a card without any of these pays. */
export interface Card {
  readonly declined?: Decline;
  /** It is declined, and can be attached to a customer all the same. */
  readonly attachable?: true;
  /** The rider has to say yes on a page of the bank: to every charge, or to all that are not off-session. */
  readonly authenticated?: 'always' | 'on_session';
  /** The rider may say yes: the bank declines all the same. */
  readonly declinedAfterwards?: Decline;
  /** The hold comes about and cannot be raised. */
  readonly raiseDeclined?: Decline;
  /** The bank takes the money back as soon as it is captured, for this reason. */
  readonly disputed?: 'fraudulent' | 'product_not_received';
  /** It only asks first. */
  readonly inquiry?: true;
  /** What becomes of a refund some time later. */
  readonly refund?: 'fails' | 'pending';
}

const declined = (decline_code: string, message = 'Your card was declined.'): Decline => ({
  code: 'card_declined',
  decline_code,
  message,
});
const processingError: Decline = {
  code: 'processing_error',
  decline_code: 'processing_error',
  message: 'An error occurred while processing your card. Try again in a little bit.',
};

const declines: ReadonlyMap<string, Decline> = new Map(
  [
    declined('generic_decline'),
    declined('insufficient_funds', 'Your card has insufficient funds.'),
    declined('lost_card'),
    declined('stolen_card'),
    declined('do_not_honor'),
    declined('fraudulent'),
    declined(
      'card_velocity_exceeded',
      'Your card was declined for making repeated attempts too frequently or exceeding its amount limit.',
    ),
    { code: 'expired_card', message: 'Your card has expired.' },
    {
      code: 'incorrect_cvc',
      decline_code: 'incorrect_cvc',
      message: "Your card's security code is incorrect.",
    },
    processingError,
  ].map((decline) => [decline.decline_code ?? decline.code, decline]),
);

/** A decline by its code; of one that is not known, a card that is declined with it. */
export const declineOf = (code: string): Decline => declines.get(code) ?? declined(code);

/** The issuer takes this charge only from a rider who is there. */
export const authenticationRequired: Decline = {
  code: 'authentication_required',
  decline_code: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
};

const pays: Card = {};
const asks: Card = { authenticated: 'always' };

/** The test payment methods of https://docs.stripe.com/testing. */
const testCards: ReadonlyMap<string, Card> = new Map<string, Card>([
  ['pm_card_visa', pays],
  ['pm_card_visa_debit', pays],
  ['pm_card_mastercard', pays],
  ['pm_card_amex', pays],

  ['pm_card_visa_chargeDeclined', { declined: declineOf('generic_decline') }],
  ['pm_card_visa_chargeDeclinedInsufficientFunds', { declined: declineOf('insufficient_funds') }],
  ['pm_card_visa_chargeDeclinedLostCard', { declined: declineOf('lost_card') }],
  ['pm_card_visa_chargeDeclinedStolenCard', { declined: declineOf('stolen_card') }],
  ['pm_card_visa_chargeDeclinedVelocityLimitExceeded', { declined: declineOf('card_velocity_exceeded') }],
  ['pm_card_chargeCustomerFail', { declined: declineOf('generic_decline'), attachable: true }],
  ['pm_card_chargeDeclinedExpiredCard', { declined: declineOf('expired_card') }],
  ['pm_card_chargeDeclinedIncorrectCvc', { declined: declineOf('incorrect_cvc') }],
  ['pm_card_chargeDeclinedProcessingError', { declined: processingError }],
  ['pm_card_radarBlock', { declined: declineOf('fraudulent'), attachable: true }],
  // The sandbox's own: Stripe names no card whose hold comes about and cannot be raised.
  ['pm_card_visa_incrementDeclined', { raiseDeclined: declineOf('insufficient_funds') }],

  ['pm_card_threeDSecure2Required', asks],
  ['pm_card_threeDSecureRequired', asks],
  [
    'pm_card_threeDSecureRequiredChargeDeclined',
    { ...asks, declinedAfterwards: declineOf('generic_decline') },
  ],
  ['pm_card_threeDSecureRequiredProcessingError', { declined: processingError, attachable: true }],
  ['pm_card_threeDSecureOptional', pays],
  ['pm_card_threeDSecureOptionalProcessingError', pays],
  ['pm_card_amex_threeDSecureNotSupported', pays],
  ['pm_card_authenticationRequired', asks],
  ['pm_card_authenticationRequiredOnSetup', asks],
  ['pm_card_authenticationRequiredSetupForOffSession', { authenticated: 'on_session' }],
  [
    'pm_card_authenticationRequiredChargeDeclinedInsufficientFunds',
    { ...asks, declinedAfterwards: declineOf('insufficient_funds') },
  ],

  ['pm_card_createDispute', { disputed: 'fraudulent' }],
  ['pm_card_createDisputeProductNotReceived', { disputed: 'product_not_received' }],
  ['pm_card_createDisputeInquiry', { disputed: 'fraudulent', inquiry: true }],
  ['pm_card_refundFail', { refund: 'fails' }],
  ['pm_card_pendingRefund', { refund: 'pending' }],
]);

/** A test token stands for as many cards as it is used for. */
export const isTestToken = (paymentMethod: string): boolean => testCards.has(paymentMethod);

/** A card of its own, which does what the token does: `pm_1Kx…_card_visa`. */
export const ownCardOf = (token: string, id: string): string => `${id}${token.slice('pm'.length)}`;

/** `undefined`: there is no such payment method. */
export function cardOf(paymentMethod: string): Card | undefined {
  const [, token = paymentMethod] = /^pm_\w+?_(card_\w+)$/.exec(paymentMethod) ?? [];
  return testCards.get(paymentMethod) ?? testCards.get(`pm_${token}`);
}
