import { put, without, type Case } from './doctor';

const postOf = (factId: string, webhookId: string) => ({
  ...{ webhookId, signed: true },
  body: JSON.stringify({ factId, rideId: factId.split('/')[1], version: Number(factId.split('/')[2]) }),
});

/** What breaks the promises on webhooks. */
export const webhookCases: readonly Case[] = [
  [
    'everyPostSigned',
    'a post is not signed',
    'webhook hook-rider received what was not signed: {"factId"',
    (e) => void (e.posts = put(e.posts, ({ webhookId }) => webhookId === 'hook-rider', { signed: false })),
  ],
  [
    'webhooksToldAllAndOnlyTheirs',
    "an operator's webhook misses a fact",
    'hook-operator of operator-1 was not told of ride.completed/ride-2/6',
    (e) => void (e.posts = without(e.posts, (post) => post.body.includes('ride.completed/ride-2/6'))),
  ],
  [
    'webhooksToldAllAndOnlyTheirs',
    'a rider is not told that their bank wants to see them',
    'hook-rider of rider-of-ride-3 was not told of payment.action_required/ride-3/2',
    (e) =>
      void e.facts.push({
        ...{ id: 'payment.action_required/ride-3/2', topic: 'payments', key: 'ride-3', sequence: 2 },
        ...{ type: 'payment.action_required', at: e.webhooks[1]!.since, data: {} },
      }),
  ],
  [
    'webhooksToldAllAndOnlyTheirs',
    "a rider's webhook misses a fact",
    'hook-rider of rider-of-ride-3 was not told of ride.cancelled/ride-3/4',
    (e) =>
      void (e.posts = without(
        e.posts,
        ({ webhookId, body: text }) => webhookId === 'hook-rider' && text.includes('/4"'),
      )),
  ],
  [
    'webhooksToldAllAndOnlyTheirs',
    'what is not signed is all that comes',
    'was not told of',
    (e) => void (e.posts = put(e.posts, ({ webhookId }) => webhookId === 'hook-rider', { signed: false })),
  ],
  [
    'webhooksToldAllAndOnlyTheirs',
    "a rider is told of somebody else's ride",
    'was told of ride.completed/ride-1/6, which is not its business',
    (e) => e.posts.push(postOf('ride.completed/ride-1/6', 'hook-rider')),
  ],
  [
    'webhooksToldAllAndOnlyTheirs',
    'a webhook is told what never happened',
    'was told of ride.completed/ride-4/9',
    (e) => e.posts.push(postOf('ride.completed/ride-4/9', 'hook-operator')),
  ],
  [
    'webhooksToldAllAndOnlyTheirs',
    'a webhook is told another version',
    'or not so',
    (e) =>
      void e.posts.push({ ...e.posts[0]!, body: e.posts[0]!.body.replace('"version":1', '"version":2') }),
  ],
];
