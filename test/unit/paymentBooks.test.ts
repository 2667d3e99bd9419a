import fc from 'fast-check';
import { costMinor } from '../../domain/paymentPlan';
import { paymentSteps } from '../../domain/paymentFacts';
import { settledPaymentStatuses } from '../../domain/payment';
import { anyStory } from '../support/paymentStory';
import { playPayment, type Played } from '../support/playPayment';

const SEQUENCES = 50_000;
jest.setTimeout(240_000);

const of = ({ ledger }: Played, account: string): number => ledger.get(account) ?? 0;

test('whatever is asked and fails, the sum is zero and the rider has paid what is owed', () => {
  const seed = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);
  process.stdout.write(`paymentBooks: seed ${seed} (FC_SEED=${seed} repeats it)\n`);
  const seen = new Set<string>();
  fc.assert(
    fc.property(anyStory, (story) => {
      const played = playPayment(story);
      const { payment, bank, ledger, owes, types } = played;
      for (const type of types) seen.add(type);
      const sum = [...ledger.values()].reduce((total, amountMinor) => total + amountMinor, 0);
      const isCash = payment.status === 'cash_settled';
      expect({
        sum,
        atTheProvider: of(played, 'provider_clearing'),
        receivable: of(played, 'rider_receivable'),
        inTransit: of(played, 'payouts_in_transit'),
        inDispute: of(played, 'disputes'),
        costMinor: costMinor(payment),
        netChargeMinor: bank.netChargeMinor,
        openHolds: bank.holds > 0 && settledPaymentStatuses.includes(payment.status),
      }).toEqual({
        sum: 0,
        atTheProvider: bank.balanceMinor,
        receivable: payment.owedMinor,
        inTransit: 0,
        inDispute: 0,
        costMinor: isCash ? 0 : owes.rideMinor,
        netChargeMinor: isCash ? 0 : owes.rideMinor + owes.tipMinor - payment.owedMinor,
        openHolds: false,
      });
    }),
    { numRuns: SEQUENCES, seed },
  );
  // Every fact that there is came about.
  expect([...seen].sort()).toEqual(Object.keys(paymentSteps).sort());
});
