import type { Evidence } from '../../tools/city/verdict/evidence';
import { invariants, judge } from '../../tools/city/verdict/judge';
import { objections, summarize } from '../../tools/city/verdict/summarize';
import { doctored, ofRide, put, withId, without } from '../support/cityCases/doctor';
import { factsCases } from '../support/cityCases/facts';
import { moneyCases } from '../support/cityCases/money';
import { changed, peopleCases } from '../support/cityCases/people';
import { ridesCases } from '../support/cityCases/rides';
import { webhookCases } from '../support/cityCases/webhooks';
import { soundEvidence } from '../support/cityEvidence';

it('sound evidence violates nothing', () => {
  expect(judge(soundEvidence())).toEqual({ checked: Object.keys(invariants), violated: [], remarks: [] });
});

const cases = [...ridesCases, ...moneyCases, ...factsCases, ...peopleCases, ...webhookCases];

it.each(cases)('%s is violated when %s', (name, _, words, change) => {
  const { violated, remarks } = judge(doctored(change));
  expect(violated).toContain(name);
  expect(remarks.find((remark) => remark.startsWith(`${name}: `))).toContain(words);
});

it('every promise has a case that breaks it', () => {
  expect(new Set(cases.map(([name]) => name))).toEqual(new Set(Object.keys(invariants)));
});

it('a fact that Kafka has twice breaks nothing: order is judged where it appears first', () => {
  const evidence = doctored((e) => void e.log.push(e.log[0]!, e.log[3]!));
  expect(judge(evidence).violated).toEqual([]);
});

describe('what is no violation', () => {
  const violatedBy = (change: Parameters<typeof doctored>[0]): readonly string[] =>
    judge(doctored(change)).violated;

  it('who got out early pays the base, and of the rest the share that was driven', () => {
    const violated = violatedBy((e) => {
      const lines = [{ kind: 'base', amountMinor: 200 }];
      changed(e, 'ride.requested/ride-1/1', { fare: { currency: 'USD', totalMinor: 1_000, lines } });
      const ended = { by: 'rider', reason: 'changed_mind', drivenMeters: 5_500 };
      changed(e, 'ride.completed/ride-1/6', { ended, chargeMinor: 600 });
    });
    expect(violated).not.toContain('chargedEqualsQuoted');
  });

  it('what an operator has set is the fare', () => {
    const violated = violatedBy((e) => {
      const fare = { currency: 'USD', totalMinor: 800, lines: [] };
      const adjusted = { type: 'ride.fare_adjusted', data: { fare, reason: 'r' } };
      e.facts = put(e.facts, withId('ride.route_changed/ride-6/9'), adjusted);
      changed(e, 'ride.completed/ride-6/10', { chargeMinor: 870 });
    });
    expect(violated).not.toContain('chargedEqualsQuoted');
  });

  it('a cancel costs less where the driver gave the ride back since its preview', () => {
    const violated = violatedBy((e) => {
      e.cancels = put(e.cancels, ofRide('ride-3'), { previewedAt: '2026-01-01T08:05:00.000Z' });
      changed(e, 'ride.cancelled/ride-3/4', { feeMinor: 0 });
    });
    expect(violated).not.toContain('cancelCostsItsPreview');
  });

  it('a change that was made, or was not, and whose answer was lost', () => {
    const unsaid = (quoteId: string) =>
      violatedBy((e) => void (e.changes = [{ ...e.changes[0]!, isMade: false, quoteId }]));
    expect(unsaid('second-quote-of-ride-6')).toEqual([]);
    // The ride goes by neither this one nor the first.
    expect(unsaid('another')).toEqual(['every2xxFoundAgain']);
    const notMade = violatedBy((e) => {
      e.changes = [{ rideId: 'ride-1', isMade: false, quoteId: 'another', scheduledFor: '' }, ...e.changes];
    });
    expect(notMade).toEqual([]);
  });

  it('a ride of another run, whose prices and clock nobody here knows', () => {
    const violated = violatedBy((e) => {
      e.accepted = without(e.accepted, ofRide('ride-6'));
      e.quotes = [...e.quotes].filter(({ quoteId }) => !quoteId.includes('ride-6'));
      e.policies = { ...e.policies, scheduleLeadMs: 0 };
    });
    expect(violated).toEqual([]);
  });
});

describe('the summary', () => {
  const judgement = judge(soundEvidence());

  it("counts this run's rides, and all money and facts", () => {
    const evidence = doctored((e) => void (e.accepted = without(e.accepted, ofRide('ride-2'))));
    expect(summarize(evidence, judgement, { speed: 40, seconds: 12.34 })).toEqual({
      rides: { requested: 5, completed: 2, cancelled: 1, noDriver: 1, paymentFailed: 1 },
      ways: {
        ...{
          scheduled: 1,
          surged: 0,
          rescheduled: 1,
          withDrops: 0,
          waitedFor: 1,
          notShownUp: 0,
          rematched: 0,
        },
        ...{ reservedAsNext: 0, routeChanged: 1, routeDeclined: 0, routeUnpaid: 0, endedEarly: 0 },
        ...{ cancelledFree: 0, cancelledForFee: 1, tips: 1, ratings: 1, breaks: 1 },
        ...{ looksAtLinks: 2, webhooks: 2, postsToWebhooks: 34 },
      },
      payments: { captured: { USD: 1_700 }, openAuthorizations: 0, unresolved: 0 },
      ledger: { transactions: 5, sumMinor: 0, matchesProvider: true },
      facts: { recorded: 55, published: 55, lost: 0, outOfOrder: 0 },
      consumers: { audit: { applied: 55, lag: 0 } },
      invariants: { checked: Object.keys(invariants), violated: [] },
      speed: 40,
      seconds: 12.3,
    });
  });

  it('counts what is lost, out of order, open and unbalanced', () => {
    const evidence = doctored((e) => {
      e.log = e.log.slice(1);
      e.openAuthorizations.push({ intentId: 'pi', rideId: 'ride-4' });
      e.payments = put(e.payments, ofRide('ride-4'), { status: 'authorized' });
      e.ledger[0] = { ...e.ledger[0]!, amountMinor: e.ledger[0]!.amountMinor + 3 };
    });
    expect(summarize(evidence, judge(evidence), { speed: 1, seconds: 1 })).toMatchObject({
      payments: { openAuthorizations: 1, unresolved: 1 },
      ledger: { sumMinor: 3, matchesProvider: false },
      facts: { recorded: 55, published: 54, lost: 1, outOfOrder: 1 },
    });
  });
});

describe('the rule for exit 0', () => {
  const plans = (['normal', 'normal', 'riderCancelsAssigned', 'unwanted', 'declinedCard'] as const).map(
    (persona) => ({ persona }),
  );
  const enough = soundEvidence();
  const against = (evidence: Evidence, dealt: readonly (typeof plans)[number][]): string[] =>
    objections(evidence, { checked: [], violated: [], remarks: [] }, dealt);

  it('has nothing against a run in which enough completed and every end was seen', () => {
    expect(against(enough, plans)).toEqual([]);
  });

  it('wants 60 % completed and paid', () => {
    const none = doctored((e) => void (e.rides = without(e.rides, ofRide('ride-6'))));
    expect(against(none, plans)).toEqual(['2 of 5 rides were completed and paid, less than 60 %']);
    const unpaid = {
      ...enough,
      payments: put([...enough.payments], ofRide('ride-2'), { status: 'authorized' }),
    };
    expect(against(unpaid, plans)).toContain('2 of 5 rides were completed and paid, less than 60 %');
  });

  it('wants every end that was dealt, all rides accepted, and every promise kept', () => {
    const none = { ...enough, rides: without([...enough.rides], ofRide('ride-4')) };
    expect(against(none, plans)).toEqual(['no ride ended as no_driver']);
    expect(against(enough, [...plans, { persona: 'normal' }, { persona: 'normal' }])).toContain(
      '6 of 7 rides were accepted',
    );
    const remarks = ['everyFactInKafka: 1 (x)'];
    expect(objections(enough, { checked: [], violated: ['everyFactInKafka'], remarks }, plans)).toEqual(
      remarks,
    );
  });
});
