import { Books, type JournalRecord } from '../../services/sandbox-psp/books';
import { createIntent } from '../../services/sandbox-psp/createIntent';
import { captureIntent } from '../../services/sandbox-psp/paymentIntents';

const at = new Date('2026-03-01T12:00:00Z');
const occasion = { at, baseUrl: 'http://sandbox' };
const { intent: held } = createIntent(
  {
    amount: 2_500,
    currency: 'usd',
    capture_method: 'manual',
    payment_method: 'pm_card_visa',
    confirm: true,
    metadata: { rideId: 'ride-1' },
  },
  occasion,
);
const record = (changes: Omit<JournalRecord, 'v' | 'at'>): JournalRecord => ({
  v: 1,
  at: at.toISOString(),
  ...changes,
});

test('journals of the time before movements had a sign are read', () => {
  const books = new Books();
  const { intent } = captureIntent(held, { amount_to_capture: 1_800 });
  const moved = { paymentIntent: intent.id, rideId: 'ride-1', currency: 'USD', at: at.toISOString() };
  books.apply(record({ intent, movement: { id: 'txn_1', kind: 'capture', amount: 1_800, ...moved } }));
  const refund = {
    id: 're_1',
    object: 'refund',
    amount: 500,
    balance_transaction: 'txn_2',
    charge: intent.latest_charge,
    created: intent.created,
    currency: 'usd',
    metadata: {},
    payment_intent: intent.id,
    reason: null,
    status: 'succeeded',
  } as const;
  books.apply(record({ refund, movement: { id: 'txn_2', kind: 'refund', amount: 500, ...moved } }));
  expect(books.ledger()).toMatchObject({
    consistent: true,
    currencies: { USD: { capturedMinor: 1_800, refundedMinor: 500, balanceMinor: 1_300 } },
  });
});

test('a line holds its object once, and the event and the answer show it', () => {
  const books = new Books();
  const answer = { key: 'k', endpoint: '/v1/x', fingerprint: 'f', requestId: 'req_1', status: 200 };
  const event = { id: 'evt_1', type: 'payment_intent.amount_capturable_updated', request: null } as const;
  books.apply(record({ intent: held, events: [event], answer: { ...answer, bodyOf: 'intent' } }));
  expect(books.event('evt_1')?.object).toBe(held);
  expect(books.keys.claim({ key: 'k', endpoint: '/v1/x', fingerprint: 'f' }, at)?.body).toBe(held);
});

test('the latest 10,000 events are listed; what is still to be posted stays to be', () => {
  const books = new Books();
  const type = 'payment_intent.amount_capturable_updated';
  for (let n = 0; n <= 10_000; n += 1)
    books.apply(record({ intent: held, events: [{ id: `evt_${n}`, type, request: null, posting: {} }] }));
  expect(books.allEvents()).toHaveLength(10_000);
  expect(books.allEvents()[0]?.id).toBe('evt_10000');
  expect(books.event('evt_0')).toBeUndefined();
  expect(books.parcels.get('evt_0')?.event.id).toBe('evt_0');
});
