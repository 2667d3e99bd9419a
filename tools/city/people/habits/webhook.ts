import type { WebhookCreated, WebhookList } from '../../../../contracts/api/webhooks';
import type { App } from '../../client/app';
import type { Mailbox } from '../../client/mailbox';
import { noteRefusal, type CityRecord, type RegisteredWebhook } from '../record';

/** Registers a webhook that leads to the city's mailbox, in place of those that an earlier run of the city has left. */
export async function registerWebhook(
  app: App,
  { role, ownerId }: Pick<RegisteredWebhook, 'role' | 'ownerId'>,
  { mailbox, record, startsLate }: { mailbox: Mailbox; record: CityRecord; startsLate: boolean },
): Promise<void> {
  const register = async (): Promise<void> => {
    const { webhooks } = await app.get<WebhookList>('/v1/webhooks');
    for (const { webhookId } of webhooks) await app.delete(`/v1/webhooks/${webhookId}`);
    const url = mailbox.urlFor(ownerId);
    const { webhookId, secret } = await app.post<WebhookCreated>('/v1/webhooks', { url });
    const since = new Date().toISOString();
    mailbox.expect(ownerId, { webhookId, secret, startsLate });
    record.memories.webhooks.push({ webhookId, role, ownerId, since });
  };
  await register().catch(noteRefusal(record));
}
