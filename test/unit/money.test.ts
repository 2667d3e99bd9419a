import fc from 'fast-check';
import { adjustedFare, bookedSurge, upfrontFare } from '../../domain/fare';
import { ledgerEntries } from '../../domain/ledger';
import { money } from '../../domain/money';
import { foldPayment, type Payment } from '../../domain/payment';
import type { PaymentFact } from '../../domain/paymentFacts';
import { withPublicCharges } from '../../domain/publicCharges';
import { scalePolicies, standardPolicies } from '../../domain/policies';
import { settlement } from '../../domain/settlement';
import { at, rideId } from '../support/rides';

const order = {
  rideId,
  riderId: 'rider-1',
  method: { type: 'card', token: 'pm_card_visa' },
  amountMinor: 1_500,
  currency: 'USD',
} as const;

const captured = (amountMinor: number, commissionMinor: number, driverId: string | null): PaymentFact => ({
  type: 'payment.captured',
  at: at(0),
  data: { intentId: 'pi_1', amountMinor, currency: 'USD', driverId, commissionMinor },
});

describe('an amount', () => {
  it.each([
    ['USD', 'USD 12.50'],
    ['EUR', 'EUR 12.50'],
    ['JPY', 'JPY 1250'],
    ['UGX', 'UGX 1250'],
    ['KWD', 'KWD 1.250'],
    ['CLF', 'CLF 0.1250'],
    // Where what Intl says is not ISO 4217.
    ['IQD', 'IQD 1.250'],
    ['LAK', 'LAK 12.50'],
  ])('of 1250 minor units of %s is %s', (currency, expected) => {
    expect(money(1_250, currency)).toBe(expected);
  });
});

describe('the upfront fare', () => {
  it('is base, distance and time', () => {
    const fare = upfrontFare({ product: 'standard', distanceMeters: 5_000, durationSeconds: 600, surge: 1 });
    expect(fare.lines).toEqual([
      { kind: 'base', amountMinor: 255 },
      { kind: 'distance', amountMinor: 545 },
      { kind: 'time', amountMinor: 350 },
    ]);
    expect(fare.totalMinor).toBe(1_150);
  });

  it('is raised to the minimum', () => {
    const fare = upfrontFare({ product: 'standard', distanceMeters: 100, durationSeconds: 60, surge: 1 });
    expect(fare.totalMinor).toBe(700);
  });

  it('has a fee for each stop', () => {
    const trip = { product: 'courier', distanceMeters: 5_000, durationSeconds: 600, surge: 1 } as const;
    expect(upfrontFare({ ...trip, stops: 3 }).lines).toContainEqual({ kind: 'stop', amountMinor: 600 });
    expect(upfrontFare(trip).lines.map(({ kind }) => kind)).not.toContain('stop');
  });

  it('has whole lines that sum to the total, whatever the trip', () => {
    const trip = fc.record({
      product: fc.constantFrom('standard' as const, 'xl' as const, 'courier' as const),
      stops: fc.integer({ min: 0, max: 25 }),
      distanceMeters: fc.integer({ min: 0, max: 200_000 }),
      durationSeconds: fc.integer({ min: 0, max: 20_000 }),
      surge: fc.double({ min: 1, max: 5, noNaN: true }),
    });
    fc.assert(
      fc.property(trip, (input) => {
        const { lines, totalMinor } = upfrontFare(input);
        expect(lines.every((line) => Number.isInteger(line.amountMinor))).toBe(true);
        expect(lines.reduce((sum, line) => sum + line.amountMinor, 0)).toBe(totalMinor);
      }),
    );
  });
});

describe('the surge that a ride was booked with', () => {
  const fareAt = (surge: number, distanceMeters = 5_000) =>
    upfrontFare({ product: 'xl', distanceMeters, durationSeconds: 617, stops: 1, surge });

  it('is what the ride says', () => {
    expect(bookedSurge({ surge: 1.5, fare: fareAt(1) })).toBe(1.5);
  });

  it.each([1, 1.1, 1.7, 3])('is %s by the fare of a ride that says none', (surge) => {
    const adjusted = adjustedFare(withPublicCharges(fareAt(surge), 'xl', []), 99_999);
    for (const fare of [fareAt(surge), fareAt(surge, 10), adjusted])
      expect(bookedSurge({ fare })).toBe(surge);
  });
});

describe('the ledger', () => {
  it('splits a fare between the driver and the platform', () => {
    expect(ledgerEntries(captured(1_500, 300, 'driver-1'))).toEqual([
      { account: 'provider_clearing', amountMinor: 1_500, currency: 'USD' },
      { account: 'driver_payable:driver-1', amountMinor: -1_200, currency: 'USD' },
      { account: 'platform_revenue', amountMinor: -300, currency: 'USD' },
    ]);
  });

  it('books what a driver owes of a fare paid in cash', () => {
    const data = { amountMinor: 1_500, currency: 'USD', driverId: 'driver-1', commissionMinor: 300 };
    expect(ledgerEntries({ type: 'payment.cash_settled', data })).toEqual([
      { account: 'driver_payable:driver-1', amountMinor: 300, currency: 'USD' },
      { account: 'platform_revenue', amountMinor: -300, currency: 'USD' },
    ]);
  });

  it('books nothing for a hold', () => {
    const data = { intentId: 'pi_1', amountMinor: 1_500, currency: 'USD' };
    expect(ledgerEntries({ type: 'payment.authorized', data })).toEqual([]);
  });

  it('balances every transaction', () => {
    const amount = fc.integer({ min: 0, max: 1_000_000 });
    const driver = fc.constantFrom('driver-1', null);
    fc.assert(
      fc.property(amount, driver, (amountMinor, driverId) => {
        const { commissionMinor } = settlement(
          { amountMinor, driverId },
          standardPolicies.commissionBasisPoints,
        );
        const entries = [
          ...ledgerEntries(captured(amountMinor, commissionMinor, driverId)),
          ...ledgerEntries({
            type: 'payment.tip_charged',
            data: { intentId: 'pi_2', tipMinor: amountMinor, currency: 'USD', driverId },
          }),
          ...ledgerEntries({
            type: 'payment.refunded',
            data: { refundId: 're_1', amountMinor, currency: 'USD', reason: 'x' },
          }),
        ];
        expect(entries.reduce((sum, entry) => sum + entry.amountMinor, 0)).toBe(0);
      }),
    );
  });
});

describe('a payment', () => {
  const opened: PaymentFact = { type: 'payment.opened', at: at(0), data: order };
  const authorized: PaymentFact = {
    type: 'payment.authorized',
    at: at(1),
    data: { intentId: 'pi_1', amountMinor: 1_500, currency: 'USD' },
  };
  const refunded = (amountMinor: number): PaymentFact => ({
    type: 'payment.refunded',
    at: at(3),
    data: { refundId: 're_1', amountMinor, currency: 'USD', reason: 'x' },
  });
  const after = (...facts: PaymentFact[]): Payment | null => facts.reduce<Payment | null>(foldPayment, null);

  it('is refunded in part, then in full', () => {
    const paid = [opened, authorized, captured(1_500, 300, 'driver-1')];
    expect(after(...paid, refunded(500))).toMatchObject({ status: 'partially_refunded', refundedMinor: 500 });
    expect(after(...paid, refunded(500), refunded(1_000))).toMatchObject({
      status: 'refunded',
      refundedMinor: 1_500,
    });
  });

  it('has no less than nothing that failed to go back, however late an operator settles it', () => {
    const back = { refundId: 're_1', intentId: 'pi_1', amountMinor: 500, currency: 'USD', reason: 'x' };
    const by = { operatorId: 'operator-1', evidence: 'bank transfer 7' };
    const facts: PaymentFact[] = [
      ...[opened, authorized, captured(1_500, 300, 'driver-1'), refunded(500)],
      { type: 'payment.refund_failed', at: at(4), data: back },
      refunded(500),
      { type: 'payment.refund_settled', at: at(5), data: { amountMinor: 500, currency: 'USD', ...by } },
    ];
    expect(after(...facts)).toMatchObject({ refundFailedMinor: 0 });
  });

  it('is never captured twice', () => {
    const capture = captured(1_500, 300, 'driver-1');
    expect(() => after(opened, authorized, capture, capture)).toThrow(
      'payment.captured on a payment that is captured',
    );
  });

  it('is owed in cash where the rider pays so', () => {
    expect(after({ ...opened, data: { ...order, method: { type: 'cash' } } })).toMatchObject({
      status: 'cash_due',
    });
  });
});

describe('policies in a faster city', () => {
  it('divide every duration, and nothing else', () => {
    const scaled = scalePolicies(standardPolicies, 10);
    expect(scaled.offerTtlMs).toBe(standardPolicies.offerTtlMs / 10);
    expect(scaled.matchingDeadlineMs).toBe(standardPolicies.matchingDeadlineMs / 10);
    expect(scaled.noShowFeeMinor).toBe(standardPolicies.noShowFeeMinor);
    expect(scaled.searchRadiusMeters).toBe(standardPolicies.searchRadiusMeters);
  });

  it('leave an offer open for as long as an accept may take', () => {
    expect(scalePolicies(standardPolicies, 60).offerTtlMs).toBe(1_500);
    expect(scalePolicies({ ...standardPolicies, offerTtlMs: 900 }, 60).offerTtlMs).toBe(900);
  });
});
