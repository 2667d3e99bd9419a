import { disputeEntries, ledgerEntries, payoutEntries, type LedgerEntry } from '../../domain/ledger';
import { foldPayment, mayFollow, type Payment } from '../../domain/payment';
import type { PaymentFact, PaymentFactData, PaymentFactType, ProviderCall } from '../../domain/paymentFacts';
import {
  adjustmentTo,
  capturedData,
  cashSettledData,
  chargeFailedData,
  extraChargedData,
  refundableMinor,
  refundsOver,
} from '../../domain/paymentPlan';
import type { RideOutcome } from '../../domain/settlement';
import { BankOfStory } from './bankOfStory';
import type { Move, Story } from './paymentStory';
import { at, rideId } from './rides';

const commissionBasisPoints = 2_000;
const card = { type: 'card', token: 'pm_card_visa' } as const;
const cash = { type: 'cash' } as const;
const driverId = 'driver-1';

/** What a story left behind. */
export interface Played {
  readonly payment: Payment;
  readonly bank: BankOfStory;
  /** By account. */
  readonly ledger: ReadonlyMap<string, number>;
  /** What the rider has to have paid in the end, by what was asked for and not by how it was done. */
  readonly owes: { readonly rideMinor: number; readonly tipMinor: number };
  /** What kinds of facts there were. */
  readonly types: ReadonlySet<string>;
}

/** Plays a payment as its workflow carries it, with the domain's own plans, against a provider that is no part of it. */
export function playPayment({ currency, heldMinor, paidBy, moves }: Story): Played {
  const bank = new BankOfStory(currency);
  const ledger = new Map<string, number>();
  const types = new Set<string>();
  let payment: Payment | null = null;
  let owes = { rideMinor: 0, tipMinor: 0 };

  const now = (): Payment => payment!;
  const book = (entries: readonly LedgerEntry[]): void => {
    if (entries.reduce((sum, { amountMinor }) => sum + amountMinor, 0) !== 0)
      throw new Error('a booking does not balance');
    for (const { account, amountMinor } of entries)
      ledger.set(account, (ledger.get(account) ?? 0) + amountMinor);
  };
  const add = <T extends PaymentFactType>(type: T, data: PaymentFactData[T]): void => {
    const fact = { type, at: at(0), data } as PaymentFact;
    payment = foldPayment(payment, fact);
    types.add(type);
    book(ledgerEntries(fact));
  };
  const may = (type: PaymentFactType): boolean => mayFollow(payment, type);

  /** Does something at the provider, once, whatever becomes of the answer. @returns null where it was declined */
  function ask<T>(call: ProviderCall, { fault }: Move, act: () => T): T | null {
    if (fault === 'declined') return null;
    if (fault === 'none') return act();
    const done = fault === 'answerLost' ? { answer: act() } : undefined;
    add('payment.unresolved', { call, reason: 'timeout' });
    const { answer } = done ?? { answer: act() };
    add('payment.resolved', { by: 'provider', outcome: done ? 'it had happened' : 'it has happened now' });
    return answer;
  }

  function authorize(move: Move): void {
    if (!may('payment.authorized')) return;
    const intentId = ask('authorize', move, () => bank.hold(heldMinor));
    if (intentId !== null) {
      if (move.coin) add('payment.action_required', { intentId, deadlineAt: at(1) });
      add('payment.authorized', { intentId, amountMinor: heldMinor, currency });
      return;
    }
    const [method] = now().fallbacks;
    if (method) add('payment.method_changed', { method, reason: 'declined' });
    else add('payment.declined', { reason: 'declined' });
  }

  function raise(move: Move): void {
    if (!may('payment.hold_raised')) return;
    const { intentId, amountMinor } = now();
    const toMinor = amountMinor + move.amountMinor;
    if (move.fault === 'declined' || (intentId !== null && !bank.isHeld(intentId))) return;
    if (intentId !== null) ask('raiseHold', move, () => bank.raise(intentId, toMinor));
    add('payment.hold_raised', { intentId, amountMinor: toMinor, currency, changeId: rideId });
  }

  function reauthorize(move: Move): void {
    if (!may('payment.reauthorized')) return;
    const { intentId: replacedIntentId, amountMinor } = now();
    const intentId = ask('authorize', move, () => bank.hold(amountMinor));
    if (intentId === null || replacedIntentId === null) return;
    bank.release(replacedIntentId);
    add('payment.reauthorized', { intentId, replacedIntentId, amountMinor, currency });
  }

  function expire(): void {
    const held = payment?.status === 'authorized' ? payment.intentId : null;
    if (held !== null) bank.release(held);
  }

  function end(move: Move): void {
    const { status, intentId, amountMinor: held } = now();
    if (status !== 'authorized' && status !== 'cash_due') return;
    const { amountMinor } = move;
    const outcome: RideOutcome = {
      amountMinor,
      driverId: move.coin ? driverId : null,
      taxMinor: Math.floor(amountMinor / 11),
      tollMinor: amountMinor % 7 === 0 ? Math.floor(amountMinor / 3) : 0,
    };
    owes = { ...owes, rideMinor: amountMinor };
    if (amountMinor === 0) {
      if (intentId !== null) ask('voidHold', { ...move, fault: 'none' }, () => bank.release(intentId));
      return add('payment.voided', { intentId });
    }
    if (status === 'cash_due' || intentId === null)
      return add('payment.cash_settled', cashSettledData(now(), outcome, commissionBasisPoints));
    if (bank.isHeld(intentId)) {
      const takenMinor = Math.min(amountMinor, held);
      // A capture is not declined.
      const fault = move.fault === 'declined' ? 'none' : move.fault;
      ask('capture', { ...move, fault }, () => bank.capture(intentId, takenMinor));
      const data = capturedData(now(), outcome, { intentId, takenMinor }, commissionBasisPoints);
      return add('payment.captured', data);
    }
    const anew = ask('capture', move, () => bank.charge(amountMinor));
    if (anew === null)
      add('payment.charge_failed', chargeFailedData(now(), outcome, 'declined', commissionBasisPoints));
    else {
      const taken = { intentId: anew, takenMinor: amountMinor };
      add('payment.captured', capturedData(now(), outcome, taken, commissionBasisPoints));
    }
  }

  function tip(move: Move): void {
    if (!may('payment.tip_charged') || now().tipMinor > 0 || move.amountMinor === 0) return;
    const tipMinor = move.amountMinor;
    const intentId = ask('chargeTip', move, () => bank.charge(tipMinor));
    if (intentId === null) return;
    owes = { ...owes, tipMinor };
    add('payment.tip_charged', { intentId, tipMinor, currency, driverId: now().driverId });
  }

  function giveBack(amountMinor: number, move: Move): void {
    for (const { intentId, amountMinor: part } of refundsOver(now(), amountMinor)) {
      const fault = move.fault === 'declined' ? 'none' : move.fault;
      ask('refund', { ...move, fault }, () => bank.refund(intentId, part));
      const refundId = `re_${types.size}`;
      add('payment.refunded', { refundId, amountMinor: part, currency, reason: 'x', intentId });
    }
  }

  function refund(move: Move): void {
    if (!may('payment.refunded')) return;
    const amountMinor = Math.min(move.amountMinor, refundableMinor(now()));
    owes = { ...owes, rideMinor: owes.rideMinor - amountMinor };
    giveBack(amountMinor, move);
  }

  function adjust(move: Move): void {
    const { waiveMinor, refunds, chargeMinor } = adjustmentTo(now(), move.amountMinor);
    if (chargeMinor > 0) {
      if (!may('payment.extra_charged')) return;
      const intentId = ask('chargeExtra', move, () => bank.charge(chargeMinor));
      if (intentId === null) return;
      const charge = { intentId, amountMinor: chargeMinor, reason: 'x' };
      add('payment.extra_charged', extraChargedData(now(), charge, commissionBasisPoints));
    } else {
      if (!may('payment.waived') || (refunds.length > 0 && !may('payment.refunded'))) return;
      if (waiveMinor > 0) add('payment.waived', { amountMinor: waiveMinor, currency, reason: 'x' });
      giveBack(
        refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
        move,
      );
    }
    owes = { ...owes, rideMinor: move.amountMinor };
  }

  function collect(move: Move): void {
    const amountMinor = Math.min(move.amountMinor, now().owedMinor);
    if (!may('payment.collected') || amountMinor === 0) return;
    const intentId = ask('collect', move, () => bank.charge(amountMinor));
    if (intentId !== null) add('payment.collected', { intentId, amountMinor, currency });
  }

  function waive(move: Move): void {
    const amountMinor = Math.min(move.amountMinor, now().owedMinor);
    if (!may('payment.waived') || amountMinor === 0) return;
    owes = { ...owes, rideMinor: owes.rideMinor - amountMinor };
    add('payment.waived', { amountMinor, currency, reason: 'x' });
  }

  function dispute({ amountMinor: asked, coin, fault }: Move): void {
    const charge = now().charges.find((taken) => taken.amountMinor - taken.refundedMinor > 0);
    if (charge === undefined || asked === 0) return;
    const amountMinor = Math.min(asked, charge.amountMinor - charge.refundedMinor);
    const feeMinor = 15;
    const { intentId } = charge;
    const opened = { ...{ disputeId: 'dp_1', rideId, intentId, amountMinor, feeMinor, currency } };
    bank.move(-(amountMinor + feeMinor));
    const more = { reason: 'fraudulent', evidenceDueAt: at(1) };
    book(disputeEntries({ type: 'dispute.opened', at: at(0), data: { ...opened, ...more } }));
    // The provider gives its fee back with the rest, or takes another.
    const feeChangeMinor = coin ? -feeMinor : fault === 'lost' ? 7 : 0;
    bank.move((coin ? amountMinor : 0) - feeChangeMinor);
    const type = coin ? 'dispute.won' : 'dispute.lost';
    book(disputeEntries({ type, at: at(0), data: { rideId, amountMinor, currency, feeChangeMinor } }));
  }

  function payout({ fault, coin }: Move): void {
    const amountMinor = -(ledger.get(`driver_payable:${driverId}`) ?? 0);
    if (amountMinor <= 0) return;
    const amount = { driverId, amountMinor, currency };
    const started = { ...amount, payoutId: rideId, period: '2026-W01', destination: 'acct_1' };
    book(payoutEntries({ type: 'payout.started', at: at(0), data: started }));
    if (fault === 'declined') {
      book(payoutEntries({ type: 'payout.failed', at: at(0), data: { ...amount, reason: 'x' } }));
      return;
    }
    bank.move(-amountMinor);
    book(payoutEntries({ type: 'payout.paid', at: at(0), data: { ...amount, transferId: 'tr_1' } }));
    if (coin) return;
    bank.move(amountMinor);
    book(payoutEntries({ type: 'payout.returned', at: at(0), data: { ...amount, reason: 'x' } }));
  }

  const plays: Record<Move['what'], (move: Move) => void> = {
    ...{ authorize, raise, reauthorize, expire, end, tip },
    ...{ refund, adjust, collect, waive, dispute, payout },
  };
  const method = paidBy === 'cash' ? cash : card;
  const fallbacks = paidBy === 'card, or cash' ? [cash] : [];
  add('payment.opened', { rideId, riderId: 'rider-1', method, fallbacks, amountMinor: heldMinor, currency });
  for (const move of moves) plays[move.what](move);
  return { payment: now(), bank, ledger, owes, types };
}
