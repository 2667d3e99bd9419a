import fc from 'fast-check';
import { isSubmitted, foldDispute, type DisputeFact } from '../../domain/dispute';
import { DomainError } from '../../domain/errors';
import { disputeEntries, payoutEntries, type LedgerEntry } from '../../domain/ledger';
import { foldPayout, payoutMinor, payoutPeriod, type PayoutFact } from '../../domain/payout';
import { standardPolicies } from '../../domain/policies';

test.each([
  ['2026-11-21T21:00:00.000Z', '2026-W47'],
  ['2026-03-01T23:59:59.999Z', '2026-W09'],
  ['2026-03-02T00:00:00.000Z', '2026-W10'],
  ['2026-01-01T00:00:00.000Z', '2026-W01'],
  ['2025-12-29T00:00:00.000Z', '2026-W01'],
  ['2026-12-31T12:00:00.000Z', '2026-W53'],
  ['2027-01-03T12:00:00.000Z', '2026-W53'],
  ['2027-01-04T00:00:00.000Z', '2027-W01'],
  ['2023-01-01T12:00:00.000Z', '2022-W52'],
])('%s is in the week %s of ISO 8601', (at, week) => {
  expect(payoutPeriod(at)).toBe(week);
});

test.each([
  [5_000, 'USD', 5_000],
  [150, 'JPY', 150],
  [149, 'JPY', 0],
  [99, 'USD', 0],
  [100, 'CHF', 100],
  [99, 'CHF', 0],
  [0, 'USD', 0],
  [-5_000, 'USD', 0],
  [250_000_000, 'USD', 99_999_999],
  [250_000_000, 'UGX', 999_999],
  [1_239, 'KWD', 1_230],
  [309, 'KWD', 300],
  [299, 'KWD', 0],
  [500_099, 'MGA', 500_000],
])('of a balance of %i %s, %i are paid out', (balance, currency, paid) => {
  expect(payoutMinor(balance, currency, standardPolicies.payoutMinimums)).toBe(paid);
});

test('a minimum of nothing pays nothing of nothing', () => {
  expect(payoutMinor(0, 'USD', { USD: 0 })).toBe(0);
  expect(payoutMinor(-7, 'USD', { USD: 0 })).toBe(0);
});

const at = '2026-03-01T12:00:00.000Z';
const dueAt = '2026-03-08T12:00:00.000Z';
const rideId = '01890a5d-ac96-774b-bcce-b302099a8057';
const opened: DisputeFact = {
  type: 'dispute.opened',
  at,
  data: {
    ...{ disputeId: 'du_1', rideId, intentId: 'pi_1', amountMinor: 1_500, currency: 'USD' },
    ...{ feeMinor: 1_500, feeCurrency: 'USD', reason: 'fraudulent', evidenceDueAt: dueAt },
  },
};
const submitted: DisputeFact = {
  type: 'dispute.evidence_submitted',
  at,
  data: { rideId, by: 'ops-1', evidenceId: 'first' },
};
const end = (type: 'dispute.won' | 'dispute.lost', feeChangeMinor = 0): DisputeFact => ({
  type,
  at,
  data: { rideId, amountMinor: 1_500, currency: 'USD', feeChangeMinor, feeCurrency: 'USD' },
});
const after = (...facts: DisputeFact[]) => facts.reduce(foldDispute, null)!;

test('evidence is heard before its deadline, once', () => {
  expect(isSubmitted(after(opened), 'first', '2026-03-08T11:59:59.999Z')).toBe(false);
  expect(isSubmitted(after(opened, submitted), 'first', '2027-01-01T00:00:00.000Z')).toBe(true);
});

test.each([
  ['at its deadline', after(opened), dueAt, 'The time for evidence is over.'],
  ['a second time', after(opened, submitted), at, 'Evidence was submitted before: it is heard once.'],
  ['of a dispute that is lost', after(opened, end('dispute.lost')), at, 'The bank has decided.'],
  ['of a dispute that is won', after(opened, submitted, end('dispute.won')), at, 'The bank has decided.'],
])('evidence is refused %s', (_, dispute, now, why) => {
  expect(() => isSubmitted(dispute, 'other', now)).toThrow(new DomainError('evidence_not_possible', why));
});

const sums = (entries: readonly LedgerEntry[]): Record<string, number> => {
  const totals: Record<string, number> = {};
  for (const { account, amountMinor } of entries) totals[account] = (totals[account] ?? 0) + amountMinor;
  return totals;
};

test('a dispute that is won costs its fee, one that is lost the amount, too', () => {
  const booked = (...facts: DisputeFact[]) => sums(facts.flatMap(disputeEntries));
  expect(booked(opened, end('dispute.won'))).toEqual({
    ...{ disputes: 0, provider_fees: 1_500, provider_clearing: -1_500 },
  });
  expect(booked(opened, submitted, end('dispute.won', -1_500))).toEqual({
    ...{ disputes: 0, provider_fees: 0, provider_clearing: 0 },
  });
  expect(booked(opened, submitted, end('dispute.lost', 500))).toEqual({
    ...{ disputes: 0, platform_revenue: 1_500, provider_fees: 2_000, provider_clearing: -3_500 },
  });
});

test('a fee is booked in the currency that the provider takes it in', () => {
  const inEuros = (fact: DisputeFact) =>
    ({ ...fact, data: { ...fact.data, currency: 'EUR', feeCurrency: 'USD' } }) as DisputeFact;
  const entries = [opened, end('dispute.won', -700)].map(inEuros).flatMap(disputeEntries);
  const sumsIn = (wanted: string) => sums(entries.filter(({ currency }) => currency === wanted));
  expect(sumsIn('EUR')).toEqual({ disputes: 0, provider_clearing: 0 });
  expect(sumsIn('USD')).toEqual({ provider_fees: 800, provider_clearing: -800 });
});

test('whatever becomes of a payout, its entries sum to zero and the driver has what did not arrive', () => {
  const ways = fc.constantFrom('started', 'paid', 'failed', 'returned', 'returned in parts');
  fc.assert(
    fc.property(
      ways,
      fc.integer({ min: 2, max: 100_000_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (way, amountMinor, share) => {
        const amount = { driverId: 'driver-1', amountMinor, currency: 'USD' };
        const payoutId = rideId;
        const start = { payoutId, ...amount, period: '2026-W09', destination: 'acct_1' };
        const started: PayoutFact = { type: 'payout.started', at, data: start };
        const paid: PayoutFact = { type: 'payout.paid', at, data: { ...amount, transferId: 'tr_1' } };
        const failed: PayoutFact = { type: 'payout.failed', at, data: { ...amount, reason: 'r' } };
        const returned = (part: number): PayoutFact => ({
          type: 'payout.returned',
          at,
          data: { ...amount, amountMinor: part, reason: 'r' },
        });
        const part = 1 + Math.floor(share * (amountMinor - 2));
        const facts: Record<string, PayoutFact[]> = {
          started: [started],
          paid: [started, paid],
          failed: [started, failed],
          returned: [started, paid, returned(amountMinor)],
          'returned in parts': [started, paid, returned(part), returned(amountMinor - part)],
        };
        const totals = sums(facts[way]!.flatMap(payoutEntries));
        expect(Object.values(totals).reduce((sum, total) => sum + total, 0)).toBe(0);
        const isBack = way !== 'started' && way !== 'paid';
        expect(totals['driver_payable:driver-1']).toBe(isBack ? 0 : amountMinor);
        const payout = facts[way]!.reduce(foldPayout, null)!;
        expect(payout).toMatchObject({ status: way.split(' ')[0], version: facts[way]!.length });
        expect(payout.returnedMinor).toBe(way.startsWith('returned') ? amountMinor : 0);
      },
    ),
  );
});

test('a payout that failed does not come back', () => {
  const amount = { driverId: 'driver-1', amountMinor: 1, currency: 'USD' };
  const start = { payoutId: rideId, ...amount, period: '2026-W09', destination: 'acct_1' };
  const failed = [
    { type: 'payout.started', at, data: start },
    { type: 'payout.failed', at, data: { ...amount, reason: 'r' } },
  ] as PayoutFact[];
  const returned: PayoutFact = { type: 'payout.returned', at, data: { ...amount, reason: 'r' } };
  expect(() => [...failed, returned].reduce(foldPayout, null)).toThrow('impossible');
});
