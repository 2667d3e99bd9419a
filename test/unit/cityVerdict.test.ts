import type { Ride } from '../../domain/ride';
import type { Evidence } from '../../tools/city/verdict/evidence';
import { invariants, judge } from '../../tools/city/verdict/judge';
import { objections, summarize } from '../../tools/city/verdict/summarize';
import { doctored, ofRide, put, without } from '../support/cityCases/doctor';
import { factsCases } from '../support/cityCases/facts';
import { moneyCases } from '../support/cityCases/money';
import { ridesCases } from '../support/cityCases/rides';
import { soundEvidence } from '../support/cityEvidence';

it('sound evidence violates nothing', () => {
  expect(judge(soundEvidence())).toEqual({ checked: Object.keys(invariants), violated: [], remarks: [] });
});

const cases = [...ridesCases, ...moneyCases, ...factsCases];

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

describe('the summary', () => {
  const judgement = judge(soundEvidence());

  it("counts this run's rides, and all money and facts", () => {
    const evidence = doctored((e) => void (e.accepted = without(e.accepted, ofRide('ride-2'))));
    expect(summarize(evidence, judgement, { speed: 40, seconds: 12.34 })).toEqual({
      rides: { requested: 4, completed: 1, cancelled: 1, noDriver: 1, paymentFailed: 1 },
      payments: { captured: { USD: 1_700 }, openAuthorizations: 0, unresolved: 0 },
      ledger: { transactions: 4, sumMinor: 0, matchesProvider: true },
      facts: { recorded: 35, published: 35, lost: 0, outOfOrder: 0 },
      consumers: { audit: { applied: 35, lag: 0 } },
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
      facts: { recorded: 35, published: 34, lost: 1, outOfOrder: 1 },
    });
  });
});

describe('the rule for exit 0', () => {
  const plans = (['normal', 'normal', 'riderCancelsAssigned', 'unwanted', 'declinedCard'] as const).map(
    (persona) => ({ persona }),
  );
  const enough = doctored((e) => {
    const more = { ...e.rides[0]!, rideId: 'ride-6' } as Ride;
    e.rides.push(more);
    e.accepted.push({ ...e.accepted[0]!, rideId: 'ride-6' });
    e.payments.push({ ...e.payments[0]!, rideId: 'ride-6' });
  });
  const against = (evidence: Evidence, dealt: readonly (typeof plans)[number][]): string[] =>
    objections(evidence, { checked: [], violated: [], remarks: [] }, dealt);

  it('has nothing against a run in which enough completed and every end was seen', () => {
    expect(against(enough, plans)).toEqual([]);
  });

  it('wants 60 % completed and paid', () => {
    expect(against(soundEvidence(), plans)).toEqual(['2 of 5 rides were completed and paid, less than 60 %']);
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
