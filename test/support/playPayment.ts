import { disputeEntries, payoutEntries } from '../../domain/ledger';
import { refundSettledData } from '../../domain/operatorsWord';
import type { ProviderCall } from '../../domain/paymentFacts';
import {
  adjustmentTo,
  capturedData,
  cashSettledData,
  chargeFailedData,
  extraChargedData,
  refundableMinor,
  refundsOver,
  type RefundPart,
} from '../../domain/paymentPlan';
import type { RideOutcome } from '../../domain/settlement';
import { BankOfStory } from './bankOfStory';
import { BooksOfStory } from './booksOfStory';
import type { Move, Story } from './paymentStory';
import { at, rideId } from './rides';

const commissionBasisPoints = 2_000;
const card = { type: 'card', token: 'pm_card_visa' } as const;
const cash = { type: 'cash' } as const;
const driverId = 'driver-1';
const ofBank = { reason: 'fraudulent', evidenceDueAt: at(1) };

/** What a story left behind. */
export interface Played {
  readonly books: BooksOfStory;
  readonly bank: BankOfStory;
  /** What the rider has to have paid in the end, by what was asked for and not by how it was done. */
  readonly owes: { readonly rideMinor: number; readonly tipMinor: number; readonly taxMinor: number };
}

/** Plays a payment as its workflow carries it, with the domain's own plans, against a provider that is no part of it. */
export function playPayment(story: Story): Played {
  const play = new PaymentPlay(story);
  for (const move of story.moves) play[move.what](move);
  return play;
}

class PaymentPlay implements Played, Record<Move['what'], (move: Move) => void> {
  readonly books: BooksOfStory;
  readonly bank: BankOfStory;
  private readonly given: RefundPart[] = [];
  owes = { rideMinor: 0, tipMinor: 0, taxMinor: 0 };

  constructor(private readonly story: Story) {
    const { currency, heldMinor: amountMinor, paidBy } = story;
    this.bank = new BankOfStory(currency);
    this.books = new BooksOfStory({
      ...{ rideId, riderId: 'rider-1', amountMinor, currency },
      method: paidBy === 'cash' ? cash : card,
      fallbacks: paidBy === 'card, or cash' ? [cash] : [],
    });
  }

  authorize(move: Move): void {
    const { books, bank } = this;
    const { heldMinor, currency } = this.story;
    if (!books.may('payment.authorized')) return;
    const intentId = this.ask('authorize', move, () => bank.hold(heldMinor));
    if (intentId !== null) {
      if (move.coin) books.add('payment.action_required', { intentId, deadlineAt: at(1) });
      books.add('payment.authorized', { intentId, amountMinor: heldMinor, currency });
      return;
    }
    const [method] = books.payment.fallbacks;
    if (method) books.add('payment.method_changed', { method, reason: 'declined' });
    else books.add('payment.declined', { reason: 'declined' });
  }

  raise(move: Move): void {
    const { books, bank } = this;
    if (!books.may('payment.hold_raised')) return;
    const { intentId, amountMinor, currency } = books.payment;
    const toMinor = amountMinor + move.amountMinor;
    if (move.fault === 'declined' || (intentId !== null && !bank.isHeld(intentId))) return;
    if (intentId !== null) this.ask('raiseHold', move, () => bank.raise(intentId, toMinor));
    books.add('payment.hold_raised', { intentId, amountMinor: toMinor, currency, changeId: rideId });
  }

  reauthorize(move: Move): void {
    const { books, bank } = this;
    if (!books.may('payment.reauthorized')) return;
    const { intentId: replacedIntentId, amountMinor, currency } = books.payment;
    const intentId = this.ask('authorize', move, () => bank.hold(amountMinor));
    if (intentId === null || replacedIntentId === null) return;
    bank.release(replacedIntentId);
    books.add('payment.reauthorized', { intentId, replacedIntentId, amountMinor, currency });
  }

  expire(): void {
    const { status, intentId } = this.books.payment;
    if (status === 'authorized' && intentId !== null) this.bank.release(intentId);
  }

  end(move: Move): void {
    const { books, bank } = this;
    const { status, intentId } = books.payment;
    if (status !== 'authorized' && status !== 'cash_due') return;
    const { amountMinor } = move;
    const taxMinor = Math.floor(amountMinor / 11);
    const tollMinor = amountMinor % 7 === 0 ? Math.floor(amountMinor / 3) : 0;
    const outcome = { amountMinor, driverId: move.coin ? driverId : null, taxMinor, tollMinor };
    this.owes.rideMinor = amountMinor;
    // Of cash that nobody took there is none.
    this.owes.taxMinor = status === 'cash_due' && !move.coin ? 0 : taxMinor;
    if (amountMinor === 0) {
      if (intentId !== null) bank.release(intentId);
      books.add('payment.voided', { intentId });
    } else if (intentId === null) {
      books.add('payment.cash_settled', cashSettledData(books.payment, outcome, commissionBasisPoints));
    } else this.charge(move, outcome, intentId);
  }

  /** Of the hold what it has; where it is gone, all of it anew. */
  private charge(move: Move, outcome: RideOutcome, held: string): void {
    const { books, bank } = this;
    const { amountMinor } = outcome;
    const takenMinor = bank.isHeld(held) ? Math.min(amountMinor, books.payment.amountMinor) : amountMinor;
    const intentId = bank.isHeld(held)
      ? this.ask('capture', undeclined(move), () => bank.capture(held, takenMinor))
      : this.ask('capture', move, () => bank.charge(amountMinor));
    if (intentId === null) {
      const failed = chargeFailedData(books.payment, outcome, 'declined', commissionBasisPoints);
      return books.add('payment.charge_failed', failed);
    }
    const taken = { intentId, takenMinor };
    books.add('payment.captured', capturedData(books.payment, outcome, taken, commissionBasisPoints));
  }

  tip(move: Move): void {
    const { books, bank } = this;
    const { currency, driverId: whose, tipMinor: given } = books.payment;
    const { amountMinor: tipMinor } = move;
    if (!books.may('payment.tip_charged') || given > 0 || tipMinor === 0) return;
    const intentId = this.ask('chargeTip', move, () => bank.charge(tipMinor));
    if (intentId === null) return;
    this.owes.tipMinor = tipMinor;
    books.add('payment.tip_charged', { intentId, tipMinor, currency, driverId: whose });
  }

  refund(move: Move): void {
    const { books } = this;
    if (!books.may('payment.refunded')) return;
    const amountMinor = Math.min(move.amountMinor, refundableMinor(books.payment));
    this.owes.rideMinor -= amountMinor;
    this.giveBack(amountMinor, move);
  }

  /** The newest refund comes back to us: the rider has paid it, and sometimes has it otherwise, by an operator's word. */
  refundFails({ coin }: Move): void {
    const failed = this.given.pop();
    if (failed === undefined) return;
    const { intentId, amountMinor } = failed;
    const { currency } = this.story;
    this.bank.refund(intentId, -amountMinor);
    this.owes.rideMinor += amountMinor;
    this.books.add('payment.refund_failed', { ...failed, refundId: 're_1', currency, reason: 'unknown' });
    const word = { outcome: 'happened', evidence: 'bank transfer', by: 'operator-1' } as const;
    if (coin) this.books.add('payment.refund_settled', refundSettledData(this.books.payment, word));
  }

  adjust(move: Move): void {
    const { books, bank } = this;
    const { currency } = this.story;
    const { waiveMinor, refunds, chargeMinor } = adjustmentTo(books.payment, move.amountMinor);
    if (chargeMinor > 0) {
      if (!books.may('payment.extra_charged')) return;
      const intentId = this.ask('chargeExtra', move, () => bank.charge(chargeMinor));
      if (intentId === null) return;
      const charge = { intentId, amountMinor: chargeMinor, reason: 'x' };
      books.add('payment.extra_charged', extraChargedData(books.payment, charge, commissionBasisPoints));
    } else {
      if (!books.may('payment.waived') || (refunds.length > 0 && !books.may('payment.refunded'))) return;
      if (waiveMinor > 0) books.add('payment.waived', { amountMinor: waiveMinor, currency, reason: 'x' });
      const backMinor = refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
      this.giveBack(backMinor, move);
    }
    this.owes.rideMinor = move.amountMinor;
  }

  collect(move: Move): void {
    const { books, bank } = this;
    const { owedMinor, currency } = books.payment;
    const amountMinor = Math.min(move.amountMinor, owedMinor);
    if (!books.may('payment.collected') || amountMinor === 0) return;
    const intentId = this.ask('collect', move, () => bank.charge(amountMinor));
    if (intentId !== null) books.add('payment.collected', { intentId, amountMinor, currency });
  }

  waive(move: Move): void {
    const amountMinor = Math.min(move.amountMinor, this.books.payment.owedMinor);
    if (!this.books.may('payment.waived') || amountMinor === 0) return;
    this.owes.rideMinor -= amountMinor;
    this.books.add('payment.waived', { amountMinor, currency: this.story.currency, reason: 'x' });
  }

  dispute({ amountMinor: asked, coin, fault }: Move): void {
    const { books, bank } = this;
    const { currency } = this.story;
    const charge = books.payment.charges.find((taken) => taken.amountMinor > taken.refundedMinor);
    if (charge === undefined || asked === 0) return;
    const amountMinor = Math.min(asked, charge.amountMinor - charge.refundedMinor);
    const feeMinor = 15;
    const { intentId } = charge;
    const fee = { feeMinor, feeCurrency: currency };
    const data = { disputeId: 'dp_1', rideId, intentId, amountMinor, currency, ...fee, ...ofBank };
    bank.move(-(amountMinor + feeMinor));
    books.book(disputeEntries({ type: 'dispute.opened', at: at(0), data }));
    // The provider gives its fee back with the rest, or takes another.
    const feeChangeMinor = coin ? -feeMinor : fault === 'lost' ? 7 : 0;
    bank.move((coin ? amountMinor : 0) - feeChangeMinor);
    const end = { rideId, amountMinor, currency, feeChangeMinor, feeCurrency: currency };
    books.book(disputeEntries({ type: coin ? 'dispute.won' : 'dispute.lost', at: at(0), data: end }));
  }

  payout({ fault, coin }: Move): void {
    const { books, bank } = this;
    const amountMinor = -books.balanceOf(`driver_payable:${driverId}`);
    if (amountMinor <= 0) return;
    const amount = { driverId, amountMinor, currency: this.story.currency };
    const started = { ...amount, payoutId: rideId, period: '2026-W01', destination: 'acct_1' };
    const back = { ...amount, reason: 'x' };
    books.book(payoutEntries({ type: 'payout.started', at: at(0), data: started }));
    if (fault === 'declined')
      return books.book(payoutEntries({ type: 'payout.failed', at: at(0), data: back }));
    bank.move(-amountMinor);
    books.book(payoutEntries({ type: 'payout.paid', at: at(0), data: { ...amount, transferId: 'tr_1' } }));
    if (coin) return;
    bank.move(amountMinor);
    books.book(payoutEntries({ type: 'payout.returned', at: at(0), data: back }));
  }

  private giveBack(amountMinor: number, move: Move): void {
    const { books, bank } = this;
    const { currency } = this.story;
    for (const { intentId, amountMinor: part } of refundsOver(books.payment, amountMinor)) {
      this.ask('refund', undeclined(move), () => bank.refund(intentId, part));
      const refunded = { refundId: 're_1', amountMinor: part, currency, reason: 'x', intentId };
      books.add('payment.refunded', refunded);
      this.given.push({ intentId, amountMinor: part });
    }
  }

  /**
   * Does something at the provider, once, whatever becomes of the answer.
   * @returns the intent, or null where it was declined
   */
  private ask(call: ProviderCall, { fault }: Move, act: () => string): string | null {
    if (fault === 'declined') return null;
    if (fault === 'none') return act();
    const done = fault === 'answerLost' ? act() : undefined;
    this.books.add('payment.unresolved', { call, reason: 'timeout' });
    const intentId = done ?? act();
    this.books.add('payment.resolved', { by: 'provider', outcome: done ? 'it had happened' : 'it has now' });
    return intentId;
  }
}

/** The same for what a provider does not decline. */
const undeclined = (move: Move): Move => (move.fault === 'declined' ? { ...move, fault: 'none' } : move);
