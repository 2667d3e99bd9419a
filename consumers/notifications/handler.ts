import { v5 as uuidv5 } from 'uuid';
import { knownFact } from '../../contracts/knownFact';
import { CodedError } from '../../platform/errors';
import type { Fact, Handle } from '../../platform/inbox';
import { messagesFor, type Message } from './messages';
import { rememberRiders, ridersOf, writeNotifications, type Notification } from './store';

/** Made once for this project; a notification's id is a UUID (version 5) below it. */
const ID_NAMESPACE = '5a9d5f0e-3b0c-5d6b-9a58-7c1d6f1c2e44';

/** The same fact and recipient give the same id, however often the fact is delivered. */
export const notificationId = (factId: string, role: string, recipientId: string): string =>
  uuidv5(`${factId}|${role}|${recipientId}`, ID_NAMESPACE);

/**
 * Writes what riders and drivers are told about facts of rides and payments.
 * @param deliver whether what is written shall be sent: false when there is nobody to send it to
 * @throws FactInvalid; CodedError `rider_not_seen` for a ride whose first fact never came.
 */
export function createNotify(deliver: boolean): Handle {
  return async (tx, facts) => {
    const news = facts.flatMap((fact) => {
      const known = knownFact(fact);
      return known === null ? [] : [{ fact, known, messages: messagesFor(known) }];
    });
    const named = new Map<string, string>();
    for (const { fact, known } of news) {
      // Rides and payments are topics of their own, in no order between them: whichever comes first tells.
      if (known.type === 'ride.requested' || known.type === 'payment.opened') {
        named.set(fact.key, known.data.riderId);
      }
    }
    await rememberRiders(tx, named);
    const told = news.filter(({ messages }) => messages.length > 0).map(({ fact }) => fact.key);
    const riders = new Map([
      ...(await ridersOf(
        tx,
        told.filter((rideId) => !named.has(rideId)),
      )),
      ...named,
    ]);
    await writeNotifications(
      tx,
      news.flatMap(({ fact, messages }) => messages.map((message) => address(fact, message, riders))),
      deliver ? 'pending' : 'written',
    );
  };
}

function address(fact: Fact, message: Message, riders: ReadonlyMap<string, string>): Notification {
  const recipientId = message.driverId ?? riders.get(fact.key);
  if (recipientId === undefined) {
    throw new CodedError('rider_not_seen', `${fact.id}: nothing before it says who the rider is`);
  }
  return {
    id: notificationId(fact.id, message.role, recipientId),
    factId: fact.id,
    rideId: fact.key,
    role: message.role,
    recipientId,
    channel: message.channel,
    template: message.template,
    text: message.text,
    occurredAt: fact.time,
  };
}
