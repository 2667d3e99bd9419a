import { validate as isUuid } from 'uuid';
import { z } from 'zod';
import { operations } from '../../contracts/api/operations';
import { deliveriesView, webhookCreated, webhookList, webhookSecret } from '../../contracts/api/webhooks';
import type { Caller } from '../../platform/auth';
import type { Client } from '../../platform/client';
import { CodedError } from '../../platform/errors';
import type { MountOperation } from '../../platform/http';

/** Webhooks are kept, and posted, by notifications; who owns them is decided here, by the token. */
export function webhookRoutes(mount: MountOperation, notifications: Client): void {
  const owner = ({ role, sub }: Caller) => ({ role, id: sub });
  const path = '/internal/webhooks';
  const one = (webhookId: string): string => {
    // A malformed id is an unknown one.
    if (!isUuid(webhookId)) throw new CodedError('webhook_not_found', 'There is no webhook with this id.');
    return `${path}/${webhookId}`;
  };

  mount(operations.createWebhook, async ({ body, caller, signal }) => {
    const call = { query: owner(caller), body, response: webhookCreated, signal };
    return { status: 201, body: await notifications.call('POST', path, call) };
  });
  mount(operations.listWebhooks, async ({ caller, signal }) => {
    const call = { query: owner(caller), response: webhookList, signal };
    return { status: 200, body: await notifications.call('GET', path, call) };
  });
  mount(operations.deleteWebhook, async ({ params, caller, signal }) => {
    const call = { query: owner(caller), response: z.undefined(), signal };
    await notifications.call('DELETE', one(params.webhookId), call);
    return { status: 204 };
  });
  mount(operations.rotateWebhookSecret, async ({ params, caller, signal }) => {
    const call = { query: owner(caller), response: webhookSecret, signal };
    return { status: 200, body: await notifications.call('POST', `${one(params.webhookId)}/secret`, call) };
  });
  mount(operations.webhookDeliveries, async ({ params, query, caller, signal }) => {
    const call = { query: { ...query, ...owner(caller) }, response: deliveriesView, signal };
    return {
      status: 200,
      body: await notifications.call('GET', `${one(params.webhookId)}/deliveries`, call),
    };
  });
}
