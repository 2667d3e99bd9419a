import { operations } from '../../../contracts/api/operations';
import { DomainError, type ErrorCode } from '../../../domain/errors';
import { intentIdForm } from '../../../domain/names';
import type { Policies } from '../../../domain/policies';
import type { Ride } from '../../../domain/ride';
import type { ChargeAdjustment, FeeWaiver, OperatorsWord } from '../../../domain/sagas';
import type { Caller, MountOperation } from '../../../platform/http';
import type { Pool } from '../../../platform/postgres';
import { hasIntent } from '../books/paymentStore';
import { askLateRefunds, askOnce, askPayment, type Ask, type AskPaymentOptions } from './askPayment';
import { callersKey } from './callersKey';
import { paymentThatIs } from './viewRoutes';

export interface PaymentOperatorRoutesOptions extends AskPaymentOptions {
  readonly payments: Pool;
  readonly policies: Policies;
  /** Rejects with `ride_not_found` where there is no such ride. */
  readonly rideOf: (caller: Caller, rideId: string) => Promise<Ride>;
}

/**
 * What operators do to a payment that cannot go on by itself, or went wrong: each is asked of the payment's workflow,
 * which refuses what cannot be, and is answered with the payment after it.
 */
export function paymentOperatorRoutes(mount: MountOperation, options: PaymentOperatorRoutesOptions): void {
  const { payments, policies, rideOf } = options;

  async function acting<Argument>(
    caller: Caller,
    rideId: string,
    refusal: ErrorCode,
    ask: Pick<Ask<Argument>, 'update' | 'argument'> & Partial<Pick<Ask<Argument>, 'whenOver'>>,
    asking = askPayment<unknown, Argument>,
  ) {
    const ride = await rideOf(caller, rideId);
    const { status } = await paymentThatIs(payments, ride.rideId);
    const whenOver = (): never => {
      throw new DomainError(refusal, `The time for it is over: the payment is ${status}.`, {
        paymentStatus: status,
      });
    };
    await asking(options, { rideId: ride.rideId, whenOver, ...ask });
    return { status: 200, body: await paymentThatIs(payments, ride.rideId) };
  }

  mount(operations.retryPayment, ({ params, caller }) =>
    acting(caller, params.rideId, 'retry_not_possible', { update: 'retryNow', argument: undefined }),
  );

  mount(operations.resolvePayment, async ({ params: { rideId }, body, caller }) => {
    const word: OperatorsWord = { ...body, by: caller.sub };
    // An intent's id is stored before it is confirmed: one that is not, or another ride's, is no charge of this one.
    if (intentIdForm.test(body.objectId ?? '') && !(await hasIntent(payments, rideId, body.objectId!)))
      throw new DomainError('resolve_not_possible', 'The house has made no such charge for this ride.');
    return acting(caller, rideId, 'resolve_not_possible', {
      update: 'markResolved',
      argument: word,
      whenOver: () => askLateRefunds(options, { rideId, policies }, word),
    });
  });

  mount(operations.waivePayment, ({ params, body, caller }) =>
    acting<FeeWaiver>(caller, params.rideId, 'waive_not_possible', {
      update: 'waiveFee',
      argument: { reason: body.reason, by: caller.sub },
    }),
  );

  mount(operations.adjustPayment, ({ params, headers, body, caller }) => {
    const argument: ChargeAdjustment = {
      adjustmentKey: callersKey(caller, headers['idempotency-key']),
      ...body,
      by: caller.sub,
    };
    // The server remembers an Update by its id for a while after the workflow is over.
    return acting(
      caller,
      params.rideId,
      'adjust_not_possible',
      { update: 'adjustCharge', argument },
      askOnce,
    );
  });
}
