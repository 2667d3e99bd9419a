import { defineUpdate, setHandler } from '@temporalio/workflow';
import { DomainError } from '../domain/errors';
import { paymentUpdates } from '../domain/names';
import type { Payment } from '../domain/payment';
import type { OperatorsWord } from '../domain/sagas';
import { paymentChanges } from './atMost';
import type { Compensations } from './compensation';
import type { Doubts } from './doubts';
import type { PaymentRecord } from './paymentRecord';
import { refusing } from './refusal';
import { requireShape } from './updateArguments';

/** What operators do about a payment that does not go on: have it tried at once, or say what happened. */
export function answerOperators(
  record: PaymentRecord,
  helps: { doubts: Doubts; compensations: Compensations; lookAtHold: () => void },
): void {
  const { doubts, compensations, lookAtHold } = helps;
  const { retryNow, markResolved } = paymentUpdates;
  // Two: while the provider does not confirm a word, another one may take its place.
  const words = paymentChanges(2);
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
        await doubts.resolve(word);
        return record.payment;
      }),
    {
      validator: (word: OperatorsWord) =>
        refusing(() => {
          const shape = {
            outcome: 'happened or not',
            evidence: 'text',
            by: 'person',
            objectId: 'object id?',
          } as const;
          requireShape(markResolved, shape, word);
          doubts.mustBeInDoubt(word);
          words.refuseMore();
        }),
      description: 'Operator: what became of a call of which the provider does not say it, with evidence',
    },
  );
}
