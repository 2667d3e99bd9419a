import { randomUUID } from 'node:crypto';
import Stripe from 'stripe';
import type { ProviderEvent } from '../../contracts/api/providerEvents';

/** What the provider and we sign with in tests. */
export const webhookSecret = 'whsec_of_the_tests_0123456789';

interface Changes {
  readonly id?: string;
  readonly object?: object;
}

/** An event as the provider would post it: of an intent of a ride, unless told otherwise. */
export const providerEvent = (
  type: string,
  { id = `evt_${randomUUID().slice(0, 8)}`, object = {} }: Changes = {},
) =>
  ({
    id,
    object: 'event',
    api_version: Stripe.API_VERSION,
    created: 1_772_366_400,
    type,
    data: { object: { id: 'pi_1', object: 'payment_intent', metadata: {}, ...object } },
  }) satisfies ProviderEvent;

/** The header that goes with a body, signed so many seconds ago. */
export const signatureOf = (payload: string, { secret = webhookSecret, secondsAgo = 0 } = {}): string =>
  Stripe.webhooks.generateTestHeaderString({
    payload,
    secret,
    timestamp: Math.floor(Date.now() / 1_000) - secondsAgo,
  });
