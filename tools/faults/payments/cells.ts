import { paymentSteps } from '../../../domain/paymentFacts';
import { payoutSteps } from '../../../domain/payout';

/** The calls to the provider that move money, or hold it. */
export const calls = [
  ...(['authorize', 'increment', 'capture', 'void', 'voidOfRaised', 'voidOfTwo'] as const),
  ...(['refund', 'refundOfTwo', 'transfer', 'transferShortOfFunds'] as const),
] as const;
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

interface Signs {
  readonly path: RegExp;
  readonly step: string;
}

const release: Signs = { path: /^\/v1\/payment_intents\/\w+\/cancel$/, step: paymentSteps['payment.voided'] };
const refund: Signs = { path: /^\/v1\/refunds$/, step: paymentSteps['payment.refunded'] };
const transfer: Signs = { path: /^\/v1\/transfers$/, step: payoutSteps['payout.paid'] };

/** What a call looks like on the wire, and the step by which its outcome is recorded; of several the first is meant. */
export const signsOf: Readonly<Record<Call, Signs>> = {
  authorize: { path: /^\/v1\/payment_intents\/\w+\/confirm$/, step: paymentSteps['payment.authorized'] },
  increment: {
    path: /^\/v1\/payment_intents\/\w+\/increment_authorization$/,
    step: paymentSteps['payment.hold_raised'],
  },
  capture: { path: /^\/v1\/payment_intents\/\w+\/capture$/, step: paymentSteps['payment.captured'] },
  void: release,
  voidOfRaised: release,
  voidOfTwo: release,
  refund,
  refundOfTwo: refund,
  transfer,
  transferShortOfFunds: transfer,
};

const callInWords: Readonly<Partial<Record<Call, string>>> = {
  voidOfRaised: 'void of a hold that was raised',
  voidOfTwo: 'void of two intents',
  refundOfTwo: 'refund of two charges',
  transferShortOfFunds: 'transfer that is short of funds at first',
};

/** The cell in words: `refund, after the commit before the report`. */
export const inWords = ({ call, point }: Cell): string =>
  `${callInWords[call] ?? call}, ${
    {
      beforeCall: 'before the call',
      beforeAnswer: 'after the call before the answer',
      beforeCommit: 'after the answer before the commit',
      beforeReport: 'after the commit before the report',
    }[point]
  }`;
