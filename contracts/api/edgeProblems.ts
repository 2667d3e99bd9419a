import { page, type ProblemPage } from './problemPage';

/** What the gateway refuses beside the domain's rules; platform/http has the codes that every service has. */
export type EdgeCode =
  | 'too_many_positions'
  | 'dead_letter_not_found'
  | 'payment_not_found'
  | 'provider_signature_invalid'
  | 'webhook_not_found'
  | 'webhook_exists'
  | 'too_many_webhooks'
  | 'webhook_address_refused';

export const edgePages: Readonly<Record<EdgeCode, ProblemPage>> = {
  too_many_positions: {
    ...page(429, 'Too many positions at once', 'They were not taken. Send newer ones after a while.'),
    retryAfterSeconds: 1,
  },
  dead_letter_not_found: page(
    404,
    'No such dead letter',
    'There is no dead letter with this id: it may have been replayed or discarded meanwhile.',
  ),
  payment_not_found: page(
    404,
    'No payment yet',
    'The ride has not asked for its payment, or there is no ride with this id.',
  ),
  provider_signature_invalid: page(
    400,
    'Not signed by the provider',
    'The header Stripe-Signature is missing, is not by the secret that the provider and we share, or was made too long ago. Nothing was written.',
  ),
  webhook_not_found: page(
    404,
    'No such webhook',
    "There is no webhook with this id, or it is somebody else's: the two are not told apart.",
  ),
  webhook_exists: page(
    409,
    'There is a webhook with this URL',
    'Its id is in `webhookId`. Get another secret for it if you have lost the one you had.',
  ),
  too_many_webhooks: page(409, 'Too many webhooks', 'Delete one first.'),
  webhook_address_refused: page(
    400,
    'Not a public address',
    'Webhooks are posted to the public internet only: not to private networks, nor to ourselves.',
  ),
};
