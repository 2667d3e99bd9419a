import fc from 'fast-check';
import { chargedLines } from '../../domain/charge';
import { fareOf, type FareLine } from '../../domain/fare';
import { foldPayment, type Payment } from '../../domain/payment';
import type { PaymentFact } from '../../domain/paymentFacts';
import { capturedData } from '../../domain/paymentPlan';
import { standardPolicies } from '../../domain/policies';
import { receiptOf } from '../../domain/receipt';
import type { Ride, RideCommand } from '../../domain/ride';
import { outcomeOf, settlement } from '../../domain/settlement';
import { at, play, rideId, rideRequest, standardRide } from '../support/rides';

const lines: FareLine[] = [
  { kind: 'base', amountMinor: 255 },
  { kind: 'distance', amountMinor: 545 },
  { kind: 'time', amountMinor: 350 },
  { kind: 'toll', name: 'Verrazzano-Narrows Bridge crossing charge', amountMinor: 1_224 },
  { kind: 'tax', name: 'New York State and local sales tax', amountMinor: 211 },
  { kind: 'tax', name: 'Congestion surcharge', amountMinor: 275 },
];
const fare = fareOf('USD', lines);

/** A ride with this fare that goes as the standard ride does, up to these commands. */
const rideWith = (commands: readonly RideCommand[], ofFare = fare): Ride =>
  play([{ type: 'request', at: at(0), request: rideRequest({ fare: ofFare }) }, ...commands]).ride;
const [, matching, assigned, arrived, started, complete] = standardRide as Required<
  readonly [RideCommand, RideCommand, RideCommand, RideCommand, RideCommand, RideCommand]
>;
const underWay = [matching, assigned, arrived, started];
const byDriver = { driverId: 'driver-1' };
const sum = (of: readonly { readonly amountMinor: number }[]): number =>
  of.reduce((total, { amountMinor }) => total + amountMinor, 0);

describe('what a ride came to', () => {
  it('is its fare, tolls and taxes by name', () => {
    expect(chargedLines(rideWith([...underWay, complete]))).toEqual(lines);
  });

  it('has a line for waiting', () => {
    const lateStart = { type: 'start', at: at(200_000 + 240_000), ...byDriver } as const;
    const ride = rideWith([matching, assigned, arrived, lateStart, complete]);
    expect(chargedLines(ride)).toEqual([...lines, { kind: 'waiting', amountMinor: 70 }]);
  });

  it('of a ride that ended early is the base, and of every other line what was driven', () => {
    const half = {
      type: 'endEarly',
      at: at(700_000),
      by: 'rider',
      reason: 'here',
      drivenMeters: 2_100,
    } as const;
    const ride = rideWith([...underWay, half]);
    expect(chargedLines(ride).map(({ kind, amountMinor }) => [kind, amountMinor])).toEqual([
      ['base', 255],
      ['distance', 273],
      ['time', 175],
      ['toll', 612],
      ['tax', 105],
      ['tax', 138],
    ]);
    expect(sum(chargedLines(ride))).toBe(ride.chargeMinor);
    expect(outcomeOf(ride)).toMatchObject({ taxMinor: 243, tollMinor: 612 });
  });

  it('of a fare that an operator has set has the difference as a line', () => {
    const adjusted = { type: 'adjustFare', at: at(300_000), totalMinor: 2_000, reason: 'detour' } as const;
    const ride = rideWith([...underWay, adjusted, complete]);
    expect(chargedLines(ride).at(-1)).toEqual({ kind: 'adjustment', amountMinor: 2_000 - fare.totalMinor });
    expect(sum(chargedLines(ride))).toBe(2_000);
  });

  it.each([
    [
      'no_show_fee',
      [matching, assigned, arrived, { type: 'reportNoShow', at: at(600_000), ...byDriver } as const],
    ],
    [
      'cancellation_fee',
      [matching, assigned, { type: 'cancelByRider', at: at(180_000), reason: 'late' } as const],
    ],
  ] as const)('is a %s where nobody was driven', (kind, commands) => {
    const ride = rideWith(commands);
    expect(chargedLines(ride)).toEqual([{ kind, amountMinor: 500 }]);
    expect(outcomeOf(ride)).toEqual({
      amountMinor: 500,
      driverId: 'driver-1',
      for: kind,
      taxMinor: 0,
      tollMinor: 0,
    });
  });

  it('is nothing where nothing is owed', () => {
    const ride = rideWith([matching, { type: 'cancelByRider', at: at(2_000), reason: 'changed my mind' }]);
    expect(chargedLines(ride)).toEqual([]);
    expect(outcomeOf(ride).amountMinor).toBe(0);
    expect(receiptOf(ride, [])).toMatchObject({ lines: [], totalMinor: 0, paidMinor: 0, dueMinor: 0 });
  });

  it('sums to the charge, wherever the ride ends and whatever its fare is by then', () => {
    const line = fc.record({
      kind: fc.constantFrom<FareLine['kind']>('base', 'distance', 'time', 'toll', 'tax'),
      amountMinor: fc.integer({ min: 0, max: 1_000_000 }),
    });
    const story = fc.record({
      of: fc.array(line, { minLength: 1, maxLength: 8 }),
      adjustedTo: fc.option(fc.integer({ min: 0, max: 10_000_000 })),
      drivenMeters: fc.option(fc.integer({ min: 0, max: 5_000 })),
    });
    fc.assert(
      fc.property(story, ({ of, adjustedTo, drivenMeters }) => {
        const ride = rideWith(
          [
            ...underWay,
            ...(adjustedTo === null
              ? []
              : [{ type: 'adjustFare', at: at(300_000), totalMinor: adjustedTo, reason: 'x' } as const]),
            ...(drivenMeters === null
              ? [complete]
              : [{ type: 'endEarly', at: at(900_000), by: 'rider', reason: 'x', drivenMeters } as const]),
          ],
          fareOf('USD', of),
        );
        expect(sum(chargedLines(ride))).toBe(ride.chargeMinor);
        const outcome = outcomeOf(ride);
        const split = settlement(outcome, 2_000);
        const driverMinor = outcome.amountMinor - split.commissionMinor - split.taxMinor;
        for (const part of [driverMinor, split.commissionMinor, split.taxMinor])
          expect(part).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the commission', () => {
  it('is of the fare, not of tolls and taxes', () => {
    const outcome = outcomeOf(rideWith([...underWay, complete]));
    expect(outcome).toMatchObject({ amountMinor: 2_860, taxMinor: 486, tollMinor: 1_224 });
    expect(settlement(outcome, 2_000)).toEqual({ commissionMinor: 230, taxMinor: 486 });
  });

  it('is all but the tax where there is no driver', () => {
    const outcome = { amountMinor: 500, driverId: null, taxMinor: 40 };
    expect(settlement(outcome, 2_000)).toEqual({ commissionMinor: 460, taxMinor: 40 });
  });

  it('is a whole number of the smallest unit, in a currency without decimals too', () => {
    const outcome = { amountMinor: 1_234, driverId: 'driver-1', taxMinor: 0, tollMinor: 0 };
    expect(settlement(outcome, 2_000).commissionMinor).toBe(247);
  });
});

describe('a receipt', () => {
  const ride = rideWith([...underWay, complete]);
  const currency = 'USD';
  const fact = (type: PaymentFact['type'], data: object, ms = 2_000_000): PaymentFact =>
    ({ type, at: at(ms), data }) as PaymentFact;
  const opened = fact('payment.opened', {
    ...{ rideId, riderId: 'rider-1', amountMinor: 3_210, currency },
    method: { type: 'card', token: 'pm_card_visa' },
  });
  const held = fact('payment.authorized', { intentId: 'pi_1', amountMinor: 3_210, currency });
  const before = [opened, held];
  const capture = (takenMinor: number): PaymentFact => {
    const payment = before.reduce<Payment | null>(foldPayment, null)!;
    const taken = { intentId: 'pi_1', takenMinor };
    const { commissionBasisPoints } = standardPolicies;
    return fact('payment.captured', capturedData(payment, outcomeOf(ride), taken, commissionBasisPoints));
  };

  it('of a ride that is not paid yet is due', () => {
    expect(receiptOf(ride, before)).toMatchObject({
      paymentMethod: 'card',
      totalMinor: 2_860,
      paidMinor: 0,
      dueMinor: 2_860,
    });
  });

  it('has what came after the ride: tip, adjustments and what went back', () => {
    const receipt = receiptOf(ride, [
      ...before,
      capture(2_860),
      fact('payment.tip_charged', { intentId: 'pi_2', tipMinor: 300, currency, driverId: 'driver-1' }),
      fact('payment.refunded', { refundId: 're_1', amountMinor: 860, currency, reason: 'detour' }),
      fact('payment.refund_failed', {
        ...{ refundId: 're_1', intentId: 'pi_1', amountMinor: 60, currency, reason: 'unknown' },
      }),
      fact('payment.extra_charged', {
        ...{ intentId: 'pi_3', amountMinor: 50, currency, driverId: 'driver-1' },
        ...{ commissionMinor: 10, taxMinor: 0, reason: 'a smear' },
      }),
    ]);
    expect(receipt.lines.slice(lines.length)).toEqual([
      { kind: 'tip', amountMinor: 300, at: at(2_000_000) },
      { kind: 'refund', amountMinor: -860, at: at(2_000_000) },
      { kind: 'refund_failed', amountMinor: 60, at: at(2_000_000) },
      { kind: 'adjustment', amountMinor: 50, at: at(2_000_000) },
    ]);
    expect(receipt).toMatchObject({ totalMinor: 2_410, paidMinor: 2_410, dueMinor: 0 });
    expect(sum(receipt.lines)).toBe(receipt.totalMinor);
  });

  it('has a line for what somebody has captured too much, whose refund is one, too', () => {
    const taken = receiptOf(ride, [...before, capture(3_360)]);
    expect(taken.lines.at(-1)).toEqual({ kind: 'taken_too_much', amountMinor: 500, at: at(2_000_000) });
    expect(taken).toMatchObject({ totalMinor: 3_360, paidMinor: 3_360, dueMinor: 0 });
    const back = { refundId: 're_1', intentId: 'pi_1', amountMinor: 500, currency, reason: 'taken_too_much' };
    const receipt = receiptOf(ride, [...before, capture(3_360), fact('payment.refunded', back)]);
    expect(receipt).toMatchObject({ totalMinor: 2_860, paidMinor: 2_860, dueMinor: 0 });
    expect(sum(receipt.lines)).toBe(receipt.totalMinor);
  });

  it('says what is still owed, until it is paid or given up', () => {
    const short = [...before, capture(2_000)];
    expect(receiptOf(ride, short)).toMatchObject({ totalMinor: 2_860, paidMinor: 2_000, dueMinor: 860 });
    const collected = [...short, fact('payment.collected', { intentId: 'pi_4', amountMinor: 500, currency })];
    expect(receiptOf(ride, collected)).toMatchObject({ paidMinor: 2_500, dueMinor: 360 });
    const waived = [...collected, fact('payment.waived', { amountMinor: 360, currency, reason: 'goodwill' })];
    expect(receiptOf(ride, waived)).toMatchObject({ totalMinor: 2_500, paidMinor: 2_500, dueMinor: 0 });
  });

  it('of a ride that was paid in cash says so, whatever was meant at first', () => {
    const cash = fact('payment.method_changed', { method: { type: 'cash' }, reason: 'declined' });
    const withFallback = fact('payment.opened', { ...opened.data, fallbacks: [{ type: 'cash' }] });
    const settled = fact('payment.cash_settled', {
      ...{ amountMinor: 2_860, currency, driverId: 'driver-1' },
      ...{ commissionMinor: 230, taxMinor: 486 },
    });
    expect(receiptOf(ride, [withFallback, cash, settled])).toMatchObject({
      paymentMethod: 'cash',
      paidMinor: 2_860,
      dueMinor: 0,
    });
  });
});
