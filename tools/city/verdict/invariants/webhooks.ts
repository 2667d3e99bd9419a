import type { RegisteredWebhook } from '../../people/record';
import { groupBy, type Evidence, type RecordedFact, type Violations } from '../evidence';

/** Every post that a webhook of this run received was signed with its secret. */
export const everyPostSigned = (evidence: Pick<Evidence, 'posts'>): Violations =>
  evidence.posts
    .filter(({ signed }) => !signed)
    .map(({ webhookId, body }) => `webhook ${webhookId} received what was not signed: ${body.slice(0, 100)}`);

const paymentsTold = ['payment.action_required', 'payment.method_changed'];

/**
 * Every fact of a ride, and of its payment those that the rider has to know, reaches the webhooks of those who may see the ride, as it was recorded, and nobody else's. What
 * happened before a webhook was registered is not owed to it.
 */
export function webhooksToldAllAndOnlyTheirs(
  evidence: Pick<Evidence, 'webhooks' | 'posts' | 'facts' | 'rides'>,
): Violations {
  const riders = new Map(evidence.rides.map(({ rideId, riderId }) => [rideId, riderId]));
  const owed = evidence.facts.filter(({ topic, type }) => topic === 'rides' || paymentsTold.includes(type));
  const facts = new Map(owed.map((fact) => [fact.id, fact]));
  const posts = groupBy(
    evidence.posts.filter(({ signed }) => signed),
    ({ webhookId }) => webhookId,
  );
  return evidence.webhooks.flatMap((webhook) => {
    const mayBeTold = ({ key }: RecordedFact): boolean =>
      webhook.role === 'operator' || riders.get(key) === webhook.ownerId;
    const told = (posts.get(webhook.webhookId) ?? []).map(({ body }) => toldIn(body));
    const ids = new Set(told.map(({ factId }) => factId));
    const missed = owed.filter((fact) => mayBeTold(fact) && isOwed(webhook, fact) && !ids.has(fact.id));
    const wrong = told.filter(({ factId, rideId, version }) => {
      const fact = facts.get(factId);
      return !fact || !mayBeTold(fact) || fact.key !== rideId || fact.sequence !== version;
    });
    const whose = `webhook ${webhook.webhookId} of ${webhook.ownerId}`;
    return [
      ...missed.map(({ id }) => `${whose} was not told of ${id}`),
      ...wrong.map(({ factId }) => `${whose} was told of ${factId}, which is not its business or not so`),
    ];
  });
}

const isOwed = ({ since }: RegisteredWebhook, { at }: RecordedFact): boolean =>
  Date.parse(at) >= Date.parse(since);

interface Told {
  readonly factId: string;
  readonly rideId: string;
  readonly version: number;
}

const toldIn = (body: string): Told => JSON.parse(body) as Told;
