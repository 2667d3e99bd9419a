import { scalePolicies, standardPolicies } from '../../../domain/policies';
import { fact, ofRide, put, withFact, withId, without, type Case, type Mutable } from './doctor';
import type { Evidence } from '../../../tools/city/verdict/evidence';

export const changed = (e: Mutable<Evidence>, id: string, data: Record<string, unknown>): void =>
  withFact(e, id, { data: { ...(fact(e, id).data as object), ...data } });
const body = (look: Evidence['looks'][number], more: object): object => ({
  ...(look.body as object),
  ...more,
});

/** What breaks the promises on what people were told: prices, times, links. */
export const peopleCases: readonly Case[] = [
  [
    'changesKeepSurge',
    'a ride goes on at the surge of another time',
    'ride ride-6 was booked at 1.5 and changed at 1',
    (e) => {
      const like = e.facts[0]!;
      const issued = (quoteId: string, surge: number) =>
        e.facts.push({ ...like, type: 'quote.issued', topic: 'pricing', key: quoteId, data: { surge } });
      issued('second-quote-of-ride-6', 1.5);
      issued('third-quote-of-ride-6', 1);
    },
  ],
  [
    'chargedEqualsQuoted',
    'a ride costs more than was quoted',
    'ride ride-1 costs 1000, not 900 by its quote and 0 for waiting',
    (e) =>
      void (e.quotes = put(e.quotes, ({ quoteId }) => quoteId === 'quote-of-ride-1', { totalMinor: 900 })),
  ],
  [
    'chargedEqualsQuoted',
    'a ride goes by a quote that nobody was given',
    'by quote quote-of-ride-2, which its rider never saw',
    (e) => void (e.quotes = without(e.quotes, ({ quoteId }) => quoteId === 'quote-of-ride-2')),
  ],
  [
    'chargedEqualsQuoted',
    'the way was changed and the old one is charged',
    'ride ride-6 costs 1170, not 1500 by its quote and 70 for waiting',
    (e) => changed(e, 'ride.completed/ride-6/10', { chargeMinor: 1_170 }),
  ],
  [
    'chargedEqualsQuoted',
    'the new way is charged that the driver declined',
    'ride ride-6 costs 1570, not 1100 by its quote',
    (e) => withFact(e, 'ride.route_changed/ride-6/9', { type: 'ride.route_change_declined' }),
  ],
  [
    'chargedEqualsQuoted',
    'waiting costs nothing that was not free',
    'ride ride-6 costs 1500, not 1500 by its quote and 70 for waiting',
    (e) => changed(e, 'ride.completed/ride-6/10', { chargeMinor: 1_500 }),
  ],
  [
    'chargedEqualsQuoted',
    'waiting costs what was free',
    'ride ride-1 costs 1035, not 1000 by its quote and 0 for waiting',
    (e) => changed(e, 'ride.completed/ride-1/6', { chargeMinor: 1_035 }),
  ],
  [
    'chargedEqualsQuoted',
    'waiting is charged by a clock of another speed',
    'by its quote and 350 for waiting',
    (e) => void (e.policies = scalePolicies(standardPolicies, 30)),
  ],
  [
    'chargedEqualsQuoted',
    'who got out early pays for the whole way',
    'ride ride-1 costs 1000, not 600 by its quote',
    (e) => {
      changed(e, 'ride.completed/ride-1/6', {
        ended: { by: 'rider', reason: 'changed_mind', drivenMeters: 5_500 },
        chargeMinor: 1_000,
      });
      changed(e, 'ride.requested/ride-1/1', {
        fare: { currency: 'USD', totalMinor: 1_000, lines: [{ kind: 'base', amountMinor: 200 }] },
      });
    },
  ],
  [
    'chargedEqualsQuoted',
    'who got out early pays by a fare that was never quoted',
    'ride ride-1 costs 1000, not 500 by its quote',
    (e) => {
      const lines = [{ kind: 'base', amountMinor: 0 }];
      changed(e, 'ride.requested/ride-1/1', { fare: { currency: 'USD', totalMinor: 2_000, lines } });
      const ended = { by: 'rider', reason: 'changed_mind', drivenMeters: 5_500 };
      changed(e, 'ride.completed/ride-1/6', { ended, chargeMinor: 1_000 });
    },
  ],
  [
    'chargedEqualsQuoted',
    'an operator has set another fare',
    'ride ride-6 costs 1570, not 800 by its quote',
    (e) => {
      withFact(e, 'ride.route_change_proposed/ride-6/8', {
        type: 'ride.fare_adjusted',
        data: { fare: { currency: 'USD', totalMinor: 800, lines: [] }, reason: 'r' },
      });
      e.facts = without(e.facts, withId('ride.route_changed/ride-6/9'));
    },
  ],
  [
    'cancelCostsItsPreview',
    'a cancel costs more than its preview said',
    'cost 500 where 0 was previewed',
    (e) => void (e.cancels = put(e.cancels, ofRide('ride-3'), { previewedMinor: 0 })),
  ],
  [
    'cancelCostsItsPreview',
    'a cancel costs less, and nothing has happened between',
    'cost 0 where 500 was previewed',
    (e) => changed(e, 'ride.cancelled/ride-3/4', { feeMinor: 0 }),
  ],
  [
    'cancelCostsItsPreview',
    'something has happened between, and it costs more',
    'cost 500 where 0 was previewed',
    (e) =>
      void (e.cancels = put(e.cancels, ofRide('ride-3'), {
        previewedMinor: 0,
        previewedAt: '2026-01-01T08:05:00.000Z',
      })),
  ],
  [
    'cancelCostsItsPreview',
    'a cancelled ride goes on',
    'ride ride-1 was cancelled by its rider and goes on',
    (e) => e.cancels.push({ rideId: 'ride-1', previewedAt: '2026-01-01T08:00:00.000Z', previewedMinor: 0 }),
  ],
  [
    'notReleasedBeforeItsTime',
    'a ride is released before its pickup comes near',
    'was released 1 ms too early',
    (e) => withFact(e, 'ride.requested/ride-6/3', { at: '2026-01-01T09:09:59.999Z' }),
  ],
  [
    'notReleasedBeforeItsTime',
    'a ride is released by the time that it was moved from',
    'for 2026-01-01T09:30:00.000Z was released 1800000 ms too early',
    (e) => withFact(e, 'ride.requested/ride-6/3', { at: '2026-01-01T08:40:00.000Z' }),
  ],
  [
    'sharedLinksShowNoMore',
    'a link was taken back and shows the ride',
    'was taken back',
    (e) => void (e.looks = put(e.looks, ofRide('ride-1'), { takenBack: true })),
  ],
  [
    'sharedLinksShowNoMore',
    'a link shows the start code',
    'startCode',
    (e) =>
      void (e.looks = e.looks.map((look) => ({
        ...look,
        status: 200,
        body: body(look, { startCode: '1234' }),
      }))),
  ],
  [
    'sharedLinksShowNoMore',
    'a link shows who rides',
    'the link to ride ride-1 shows rider-of-ride-1',
    (e) =>
      void (e.looks[0] = {
        ...e.looks[0]!,
        body: body(e.looks[0]!, {
          driver: { name: 'rider-of-ride-1', plate: 'T', product: 'xl', position: null },
        }),
      }),
  ],
  [
    'sharedLinksShowNoMore',
    'a link shows the driver of a ride that is over',
    'a driver of a ride that is completed',
    (e) => void (e.looks[0] = { ...e.looks[0]!, body: body(e.looks[0]!, { status: 'completed' }) }),
  ],
  [
    'noRideForWhoIsOffline',
    'a driver who is offline is given a ride',
    'driver driver-2 was given ride ride-3 while offline',
    (e) => void (e.facts = without(e.facts, withId('driver.went_online/driver-2/3'))),
  ],
  [
    'every2xxFoundAgain',
    'a rating is gone',
    "the driver's 5 stars for ride ride-1 are not there",
    (e) => e.ratings.push({ rideId: 'ride-1', by: 'driver', stars: 5 }),
  ],
  [
    'every2xxFoundAgain',
    'a change of the time is gone',
    'ride ride-6 is for 2026-01-01T09:30:00.000Z, not 2026-01-01T11:00:00.000Z',
    (e) => void (e.changes = put(e.changes, ofRide('ride-6'), { scheduledFor: '2026-01-01T11:00:00.000Z' })),
  ],
  [
    'every2xxFoundAgain',
    'a change of the quote is gone',
    'by quote quote-of-ride-6, not rider-of-ride-6, second-quote-of-ride-6',
    (e) => void (e.rides = put(e.rides, ofRide('ride-6'), { quoteId: 'quote-of-ride-6' })),
  ],
  [
    'every2xxFoundAgain',
    'a ride was changed that nobody asked to be changed',
    'by quote second-quote-of-ride-6, not rider-of-ride-6, quote-of-ride-6',
    (e) => void (e.changes = []),
  ],
];
