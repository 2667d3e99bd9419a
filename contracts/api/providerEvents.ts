import { z } from 'zod';
import type { Operation } from './operation';

/** More than any event of the provider has: a dispute's evidence may be 150,000 characters. */
export const providerEventLimitBytes = 256 * 1024;

const providerId = z.string().regex(/^\w{1,255}$/, 'an id of the provider');

/**
 * An event as Stripe posts it (docs.stripe.com/api/events), as far as it is read. Of its object nothing is demanded: of
 * most kinds it is nobody's here, and an event that is refused comes again for days.
 */
export const providerEvent = z.looseObject({
  id: providerId,
  type: z.string().min(1).max(200),
  created: z.int().min(0).max(99_999_999_999).describe('seconds since 1970'),
  data: z.looseObject({
    object: z.looseObject({
      id: z.unknown().optional(),
      payment_intent: z.unknown().optional().describe('an id, or the whole object'),
      metadata: z.unknown().optional(),
    }),
  }),
});

export const providerOperations = {
  providerEvent: {
    method: 'post',
    path: '/v1/providers/stripe/events',
    summary: 'The payment provider tells of something; what nobody here waits for is taken, too',
    tag: 'webhooks',
    roles: [],
    request: {
      headers: z.object({
        'stripe-signature': z
          .string()
          .describe('`t=…,v1=…`, by the secret that only the provider and we know'),
      }),
      body: providerEvent,
    },
    response: {
      status: 200,
      description: 'Taken; a repeat is the same answer',
      body: z.strictObject({ received: z.literal(true) }),
    },
    problems: ['provider_signature_invalid'],
  },
} as const satisfies Record<string, Operation>;

export type ProviderEvent = z.infer<typeof providerEvent>;
