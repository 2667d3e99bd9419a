import { randomUUID } from 'node:crypto';
import { providerEvent } from '../../contracts/api/providerEvents';
import { readNews } from '../../services/payments/news/readNews';

const rideId = randomUUID();
const read = (type: string, object: unknown) =>
  readNews(providerEvent.parse({ id: 'evt_1', type, created: 1, data: { object } }));

describe('an event of the provider', () => {
  it('is about the intent that it names, by its id or as a whole', () => {
    for (const intent of ['pi_1', { id: 'pi_1', object: 'payment_intent', amount: 1 }])
      expect(read('charge.dispute.created', { id: 'du_1', payment_intent: intent })).toEqual({
        news: { eventId: 'evt_1', type: 'charge.dispute.created', objectId: 'du_1' },
        about: { about: 'dispute', disputeId: 'du_1', intentId: 'pi_1' },
      });
  });

  it('is about the ride that the provider was given with it', () => {
    const object = { id: 're_1', payment_intent: { id: 'pi_1' }, metadata: { rideId } };
    expect(read('refund.failed', object)?.about).toEqual({ about: 'payment', intentId: 'pi_1', rideId });
  });

  it.each([
    ['a coupon, which has an id of its owner’s', 'coupon.created', { id: '25OFF-x' }],
    ['a balance, which has none', 'balance.available', {}],
    ['a refund of a charge without an intent', 'refund.failed', { id: 're_1', payment_intent: null }],
    ['an intent that is none', 'refund.failed', { id: 're_1', payment_intent: 7 }],
    ['a payout of somebody else’s', 'transfer.reversed', { id: 'tr_1', metadata: { payoutId: 7 } }],
    ['metadata that are none', 'transfer.reversed', { id: 'tr_1', metadata: 'none' }],
  ])('is taken, and nobody’s, of %s', (_what, type, object) => {
    expect(read(type, object)).toBeNull();
  });

  it('that names no ride of ours may still be of an intent that is stored', () => {
    for (const metadata of [undefined, null, { rideId: 'ride-1' }, { rideId: { id: rideId } }])
      expect(read('payment_intent.succeeded', { id: 'pi_1', metadata })?.about).toEqual({
        ...{ about: 'payment', intentId: 'pi_1', rideId: null },
      });
  });
});
