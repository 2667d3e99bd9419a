import { z } from 'zod';
import type { Operation } from './operation';
import {
  deliveriesQuery,
  deliveriesView,
  webhookCreated,
  webhookList,
  webhookRegistration,
  webhookSecret,
} from './webhooks';

/** A malformed id is an unknown one: the path takes any text. */
const webhookIdParam = z.strictObject({ webhookId: z.string().describe('the id of a webhook') });
const common = { tag: 'webhooks', roles: ['rider', 'operator'] } as const;

/** Endpoints of API clients that are told of what happens to their rides; an operator's of all rides. */
export const webhookOperations = {
  createWebhook: {
    ...common,
    method: 'post',
    path: '/v1/webhooks',
    summary: 'Be told of what happens to your rides, by signed posts to a URL',
    request: { body: webhookRegistration },
    response: { status: 201, description: 'Registered; the secret is shown this once', body: webhookCreated },
    problems: ['webhook_exists', 'too_many_webhooks', 'webhook_address_refused'],
  },
  listWebhooks: {
    ...common,
    method: 'get',
    path: '/v1/webhooks',
    summary: 'Look at your webhooks',
    request: {},
    response: { status: 200, description: 'The oldest first', body: webhookList },
    problems: [],
  },
  deleteWebhook: {
    ...common,
    method: 'delete',
    path: '/v1/webhooks/{webhookId}',
    summary: 'Be told no more',
    request: { params: webhookIdParam },
    response: { status: 204, description: 'Gone; what was not delivered is given up' },
    problems: ['webhook_not_found'],
  },
  rotateWebhookSecret: {
    ...common,
    method: 'post',
    path: '/v1/webhooks/{webhookId}/secret',
    summary: 'Get another secret; the old one signs too for a day',
    request: { params: webhookIdParam },
    response: { status: 200, description: 'The secret is shown this once', body: webhookSecret },
    problems: ['webhook_not_found'],
  },
  webhookDeliveries: {
    ...common,
    method: 'get',
    path: '/v1/webhooks/{webhookId}/deliveries',
    summary: 'Look at what was posted, with each attempt; kept for 30 days',
    request: { params: webhookIdParam, query: deliveriesQuery },
    response: { status: 200, description: 'The newest first', body: deliveriesView },
    problems: ['webhook_not_found'],
  },
} as const satisfies Record<string, Operation>;
