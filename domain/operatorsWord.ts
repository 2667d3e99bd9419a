import { DomainError } from './errors';
import { intentIdForm, refundIdForm } from './names';
import type { Payment } from './payment';
import type { Charged, Raised, Refunded } from './paymentCalls';
import type { PaymentFactData, ProviderCall } from './paymentFacts';
import type { OperatorsWord } from './sagas';

/** Why nothing came of a call of which an operator said so. */
export const resolvedByOperator = 'resolved_by_operator';

/** An answer in the provider's place; `refused` where it would have refused for good, with the code of that. */
export interface AnswerInDoubt {
  readonly answer?: Charged | Raised | Refunded | string | null;
  readonly refused?: 'hold_gone';
}

/**
 * What an operator's word on a call makes its answer.
 * @throws DomainError `resolve_not_possible`: a charge or refund that happened has to be named; a hold that may stand,
 * and one that was not released, are only known by asking the provider
 */
export function answerInDoubt(
  call: ProviderCall,
  { outcome, objectId }: OperatorsWord,
  payment: Payment,
): AnswerInDoubt {
  const happened = outcome === 'happened';
  const reason = resolvedByOperator;
  switch (call) {
    case 'authorize':
      if (happened) throw notPossible('A hold is used only once the provider has shown it: retry it.');
      return { answer: { charged: false, reason } };
    case 'voidHold':
      if (!happened) throw notPossible('A hold that stands has to be released: retry it.');
      return { answer: payment.intentId };
    case 'capture':
      return happened ? {} : { refused: 'hold_gone' };
    case 'raiseHold':
      return { answer: happened ? { raised: true } : { raised: false, reason } };
    case 'refund':
      return {
        answer: happened
          ? { refunded: true, refundId: named(objectId, refundIdForm) }
          : { refunded: false, reason },
      };
    case 'chargeTip':
    case 'collect':
    case 'chargeExtra':
      return {
        answer: happened
          ? { charged: true, intentId: named(objectId, intentIdForm) }
          : { charged: false, reason },
      };
  }
}

/**
 * The fact of an operator's word that the rider has otherwise what could not go back to the card.
 * @throws DomainError `resolve_not_possible`
 */
export function refundSettledData(
  { refundFailedMinor: amountMinor, currency }: Payment,
  { outcome, evidence, by: operatorId }: OperatorsWord,
): PaymentFactData['payment.refund_settled'] {
  if (amountMinor === 0) throw notPossible('No refund of this payment has failed.');
  if (outcome !== 'happened')
    throw notPossible('A refund that failed is given again, or has happened in another way.');
  return { amountMinor, currency, evidence, operatorId };
}

/** The provider's ids say what they are of: nothing else gets into a fact as one. */
function named(objectId: string | undefined, kind: RegExp): string {
  if (objectId === undefined || !kind.test(objectId))
    throw notPossible(
      'What happened has to be named: `objectId` is what the provider calls it, `pi_…` a charge, `re_…` a refund.',
    );
  return objectId;
}

const notPossible = (message: string): DomainError => new DomainError('resolve_not_possible', message);
