import { defineUpdate, setHandler } from '@temporalio/workflow';
import { DomainError } from '../domain/errors';
import { paymentUpdates } from '../domain/names';
import { refundSettledData } from '../domain/operatorsWord';
import type { Payment } from '../domain/payment';
import type { OperatorsWord } from '../domain/sagas';
import { paymentChanges } from './atMost';
import type { Compensations } from './compensation';
import type { Doubts } from './doubts';
import type { PaymentRecord } from './paymentRecord';
import type { Refunds } from './refunds';
import { refusing } from './refusal';
import { requireShape, wordShape } from './updateArguments';

/** What operators do about a payment that does not go on: have it tried at once, or say what happened. */
export function answerOperators(
  record: PaymentRecord,
  helps: { doubts: Doubts; compensations: Compensations; refunds: Refunds; lookAtHold: () => void },
): void {
  const { doubts, compensations, refunds, lookAtHold } = helps;
  const { retryNow, markResolved } = paymentUpdates;
  // Two: while the provider does not confirm a word, another one may take its place.
  const words = paymentChanges(2);
  const hasFailedRefund = (): boolean => !record.is('unresolved') && record.payment.refundFailedMinor > 0;
  const canRetry = (): boolean => doubts.any || compensations.isParked || record.is('action_required');

  setHandler(
    defineUpdate<Payment>(retryNow),
    () => {
      if (compensations.isParked) compensations.decide('retry');
      doubts.tryNow();
      lookAtHold();
      return record.payment;
    },
    {
      validator: () =>
        refusing(() => {
          if (!canRetry())
            throw new DomainError('retry_not_possible', 'Nothing has failed that could be tried again.');
        }),
      description: 'Operator: try again at once what has failed or is parked',
    },
  );
  setHandler(
    defineUpdate<Payment, [OperatorsWord]>(markResolved),
    (word) =>
      words.during(async () => {
        await (hasFailedRefund() ? refunds.settle(word) : doubts.resolve(word));
        return record.payment;
      }),
    {
      validator: (word: OperatorsWord) =>
        refusing(() => {
          requireShape(markResolved, wordShape, word);
          if (hasFailedRefund()) refundSettledData(record.payment, word);
          else doubts.mustBeInDoubt(word);
          words.refuseMore();
        }),
      description:
        'Operator: what became of a call of which the provider does not say it, or of a refund that failed, with evidence',
    },
  );
}
