import fc from 'fast-check';
import { settledPaymentStatuses } from '../../domain/payment';
import { paymentSteps } from '../../domain/paymentFacts';
import { costMinor } from '../../domain/paymentPlan';
import { anyStory } from '../support/paymentStory';
import { playPayment } from '../support/playPayment';

const SEQUENCES = 50_000;
jest.setTimeout(240_000);

test('whatever is asked and fails, the sum is zero and the rider has paid what is owed', () => {
  const seed = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);
  process.stdout.write(`paymentBooks: seed ${seed} (FC_SEED=${seed} repeats it)\n`);
  const seen = new Set<string>();
  fc.assert(
    fc.property(anyStory, (story) => {
      const { books, bank, owes } = playPayment(story);
      const { payment } = books;
      for (const type of books.types) seen.add(type);
      const isCash = payment.status === 'cash_settled';
      expect({
        sum: books.sumMinor,
        atTheProvider: books.balanceOf('provider_clearing'),
        receivable: books.balanceOf('rider_receivable'),
        inTransit: books.balanceOf('payouts_in_transit'),
        inDispute: books.balanceOf('disputes'),
        taxMinor: -books.balanceOf('tax_payable') || 0,
        costMinor: costMinor(payment),
        netChargeMinor: bank.netChargeMinor,
        heldAfterAll: bank.holds > 0 && settledPaymentStatuses.includes(payment.status),
      }).toEqual({
        sum: 0,
        atTheProvider: bank.balanceMinor,
        receivable: payment.owedMinor,
        inTransit: 0,
        inDispute: 0,
        taxMinor: owes.taxMinor,
        costMinor: isCash ? 0 : owes.rideMinor,
        netChargeMinor: isCash ? 0 : owes.rideMinor + owes.tipMinor - payment.owedMinor,
        heldAfterAll: false,
      });
    }),
    { numRuns: SEQUENCES, seed },
  );
  // Every fact that there is came about.
  expect([...seen].sort()).toEqual(Object.keys(paymentSteps).sort());
});
