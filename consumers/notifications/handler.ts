import { v5 as uuidv5 } from 'uuid';
import { isTold, webhookBody } from '../../contracts/api/webhooks';
import { readerOf } from '../../contracts/knownFact';
import { CodedError } from '../../platform/errors';
import { timeOf, type Fact, type Handle } from '../../platform/inbox';
import { forgetEndpoints, listenersFor, type Listener } from './endpoints';
import { messagesFor, type Message, type News } from './messages';
import {
  rememberRiders,
  ridersOf,
  writeDeliveries,
  writeNotifications,
  type Delivery,
  type Notification,
} from './store';

/** Made once for this project; a notification's or delivery's id is a UUID (version 5) below it. */
const ID_NAMESPACE = '5a9d5f0e-3b0c-5d6b-9a58-7c1d6f1c2e44';

/** The same fact and recipient give the same id, however often the fact is delivered. */
export const notificationId = (factId: string, role: string, recipientId: string): string =>
  uuidv5(`${factId}|${role}|${recipientId}`, ID_NAMESPACE);

/** The same fact and endpoint give the same id, however often the fact is delivered. */
export const deliveryId = (factId: string, endpointId: string): string =>
  uuidv5(`${factId}|webhook|${endpointId}`, ID_NAMESPACE);

const read = readerOf('notifications');

interface ReadFact {
  readonly fact: Fact;
  readonly known: News;
  /** When it happened, ISO 8601 UTC: `ce_time` may be anything, of which Postgres takes some for a time, too. */
  readonly at: string;
  readonly messages: readonly Message[];
}

/**
 * Writes what riders and drivers are told about facts of rides and payments, and what is to be posted to webhooks.
 * @throws FactInvalid; CodedError `fact_invalid` for a time that is none, `rider_not_seen` for a ride whose first fact never
 * came.
 */
export const notify: Handle = async (tx, facts) => {
  const news = facts.flatMap((fact): ReadFact[] => {
    const known = read(fact);
    if (known === null) return [];
    return [{ fact, known, at: new Date(timeOf(fact)).toISOString(), messages: messagesFor(known) }];
  });
  const erased = news.flatMap(({ known }) => (known.type === 'subject.erased' ? [known.data.subjectId] : []));
  await forgetEndpoints(tx, erased);
  const named = new Map<string, string>();
  for (const { fact, known } of news) {
    // Rides and payments are topics of their own, in no order between them: whichever comes first tells.
    const riderId = riderNamedBy(known);
    if (riderId !== undefined) named.set(fact.key, riderId);
  }
  await rememberRiders(tx, named);
  const rideIds = news.map(rideOf).filter((rideId) => rideId !== null);
  const unnamed = new Set(rideIds.filter((rideId) => !named.has(rideId)));
  const riders = new Map([...(await ridersOf(tx, [...unnamed])), ...named]);
  const notifications = news.flatMap((one) => one.messages.map((message) => address(one, message, riders)));
  await writeNotifications(tx, notifications);

  const listeners = await listenersFor(tx, [...new Set(riders.values())]);
  const house = listeners.filter(({ role }) => role === 'house');
  await writeDeliveries(tx, [
    ...house.flatMap(({ endpointId }) => notifications.map((one) => letterOf(one, endpointId))),
    ...news.flatMap((one) => webhooksOf(one, riders.get(one.fact.key), listeners)),
  ]);
};

/** The first facts of a ride and of its payment say whose it is. */
const riderNamedBy = ({ data }: News): string | undefined => ('riderId' in data ? data.riderId : undefined);

/** The ride that a fact belongs to; none for a payout, its account or a person's erasure. A dispute's key is not its ride. */
function rideOf({ fact, known }: ReadFact): string | null {
  if (/^(payout|payout_account|subject)\./.test(known.type)) return null;
  return 'rideId' in known.data ? known.data.rideId : fact.key;
}

function address(one: ReadFact, message: Message, riders: ReadonlyMap<string, string>): Notification {
  const { fact, at } = one;
  const rideId = rideOf(one);
  const recipientId = message.driverId ?? riders.get(rideId ?? '');
  if (recipientId === undefined) {
    throw new CodedError('rider_not_seen', `${fact.id}: nothing before it says who the rider is`);
  }
  return {
    id: notificationId(fact.id, message.role, recipientId),
    factId: fact.id,
    rideId,
    role: message.role,
    recipientId,
    channel: message.channel,
    template: message.template,
    text: message.text,
    occurredAt: at,
  };
}

/** A notification as the house's own receiver gets it. */
function letterOf(notification: Notification, endpointId: string): Delivery {
  const { id, factId, rideId, role, recipientId, channel, template, text, occurredAt } = notification;
  const recipient = { role, id: recipientId };
  const body = JSON.stringify({ id, factId, rideId, recipient, channel, template, text, occurredAt });
  return { deliveryId: id, endpointId, factId, rideId, body };
}

/** A fact of a ride or its payment as those get it who may see the ride. */
function webhooksOf(
  { fact, known, at }: ReadFact,
  riderId: string | undefined,
  listeners: readonly Listener[],
): Delivery[] {
  if (!isTold(known.type)) return [];
  const { id: factId, key: rideId } = fact;
  return listeners
    .filter(({ role, ownerId }) => role === 'operator' || (role === 'rider' && ownerId === riderId))
    .map(({ endpointId }) => {
      const id = deliveryId(factId, endpointId);
      const { type, sequence: version } = fact;
      const body = webhookBody.parse({
        id,
        factId,
        type,
        rideId,
        version,
        at,
        // Sealed: it is opened when it is posted, so that nothing here outlives its key.
        data: withoutCard({ ...known.data, ...sealedIn(fact) }),
      });
      return { deliveryId: id, endpointId, factId, rideId, body: JSON.stringify(body) };
    });
}

/** What is personal in the fact, as it came. */
const sealedIn = ({ data }: Fact): object =>
  typeof data === 'object' && data !== null && 'sealed' in data ? { sealed: data.sealed } : {};

/** How a ride is paid is said, the card's token is not: it is good for charging. */
const withoutCard = (data: object): unknown =>
  JSON.parse(
    JSON.stringify(data, (name, value: { type?: string } & { type?: string }[]) => {
      if (name === 'fallbackPaymentMethods') return value.map(({ type }) => type);
      return name === 'paymentMethod' || name === 'method' ? value.type : value;
    }),
  );
