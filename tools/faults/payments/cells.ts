import { paymentSteps } from '../../../domain/paymentFacts';
import { payoutSteps } from '../../../domain/payout';

/** The calls to the provider that move money, or hold it. */
export const calls = ['authorize', 'increment', 'capture', 'void', 'refund', 'transfer'] as const;
export type Call = (typeof calls)[number];

/** The moments at which the worker dies. */
export const points = ['beforeCall', 'beforeAnswer', 'beforeCommit', 'beforeReport'] as const;
export type Point = (typeof points)[number];

/** One of the call's moments; every one has to be met, and to end well. */
export interface Cell {
  readonly call: Call;
  readonly point: Point;
}

export const cells: readonly Cell[] = calls.flatMap((call) => points.map((point) => ({ call, point })));

/** What a call looks like on the wire, and the step by which its outcome is recorded. */
export const signsOf: Readonly<Record<Call, { readonly path: RegExp; readonly step: string }>> = {
  authorize: { path: /^\/v1\/payment_intents\/\w+\/confirm$/, step: paymentSteps['payment.authorized'] },
  increment: {
    path: /^\/v1\/payment_intents\/\w+\/increment_authorization$/,
    step: paymentSteps['payment.hold_raised'],
  },
  capture: { path: /^\/v1\/payment_intents\/\w+\/capture$/, step: paymentSteps['payment.captured'] },
  void: { path: /^\/v1\/payment_intents\/\w+\/cancel$/, step: paymentSteps['payment.voided'] },
  refund: { path: /^\/v1\/refunds$/, step: paymentSteps['payment.refunded'] },
  transfer: { path: /^\/v1\/transfers$/, step: payoutSteps['payout.paid'] },
};

/** The cell in words: `refund, after the commit before the report`. */
export const inWords = ({ call, point }: Cell): string =>
  `${call}, ${
    {
      beforeCall: 'before the call',
      beforeAnswer: 'after the call before the answer',
      beforeCommit: 'after the answer before the commit',
      beforeReport: 'after the commit before the report',
    }[point]
  }`;
