import { z } from 'zod';
import { DomainError, type ErrorCode } from '../../domain/errors';
import { edgePages, type EdgeCode } from './edgeProblems';
import { erasureProblems } from './erasureProblems';
import { page, type ProblemPage } from './problemPage';

/** RFC 9457: `type` is stable and has a page, `code` is its last part; further members depend on the type. */
export const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string().optional(),
  requestId: z.string(),
});

/** How the domain's refusals are answered: the one table from code to problem. */
export const problemPages: Readonly<Record<ErrorCode | EdgeCode, ProblemPage>> = {
  ...edgePages,
  illegal_transition: page(
    409,
    'Not in this state',
    'The ride is in a state in which this cannot be done: `rideStatus` says which. Read the ride and decide anew.',
  ),
  argument_not_valid: page(
    400,
    'Not valid',
    'What was asked for cannot be recorded: `detail` says what of it.',
  ),
  not_your_ride: page(409, 'With another driver', 'The ride is not, or no longer, with this driver.'),
  no_show_too_early: page(409, 'The rider may still come', 'Wait for `waitMs` milliseconds more.'),
  too_far_from_pickup: page(
    409,
    'Not at the pickup',
    'Drive nearer to the pickup: `distanceMeters` says how far it is, `maxMeters` how far it may be. A position sent along is taken where the driver can have come there since the last one known, which counts otherwise. An operator can override it.',
  ),
  position_unknown: page(
    409,
    'Where are you?',
    'No fresh position of the driver is known: send one with POST /v1/drivers/me/positions, or with this request.',
  ),
  release_not_due: page(
    409,
    'Not yet',
    'The ride is released when its pickup comes near, in `dueInMs` milliseconds.',
  ),
  scheduled_too_soon: page(
    400,
    'Too soon to be scheduled',
    'Request the ride for now, or `minAheadMs` ahead.',
  ),
  scheduled_too_late: page(400, 'Too far ahead', 'A ride can be scheduled up to `maxAheadDays` days ahead.'),
  stop_out_of_order: page(
    409,
    'Not the next stop',
    'Stops are reached one after another: `stopsReached` of `stops` are.',
  ),
  route_change_not_possible: page(
    409,
    'Not a way for this ride',
    'A change keeps the pickup, the product and the stops that were reached. Ask for a quote with these.',
  ),
  route_change_over: page(
    409,
    'The proposal is over',
    'It was answered, withdrawn or replaced by a newer one. Read the ride and decide anew.',
  ),
  fare_not_covered: page(
    402,
    'The card does not cover it',
    'The hold could not be raised to the new fare: the old one stands.',
  ),
  fare_change_under_way: page(
    409,
    'Another change of the fare is under way',
    'The hold is being raised for it. Read the ride in a moment and decide anew.',
  ),
  too_many_changes: page(
    409,
    'Changed too often',
    'The ride stays as it is: it can be carried on, ended and cancelled, and not changed any more.',
  ),
  fare_not_possible: page(400, 'No such fare', 'A fare is a whole number of minor units, from 0.'),
  offer_over: page(
    409,
    'The offer is over',
    'It was answered, withdrawn, or its time is up. Wait for another.',
  ),
  driver_busy: page(409, 'On another ride', 'A driver is on one ride at a time. End that one first.'),
  driver_unknown: page(404, 'No such driver', 'Register with PUT /v1/drivers/me first.'),
  quote_expired: page(409, 'The quote has expired', 'Ask for a new quote; its price may be another.'),
  quote_invalid: page(
    400,
    'Not a quote of yours',
    'The token was changed, was not made here, or was given to another rider.',
  ),
  quote_used: page(409, 'The quote was used', 'A quote is good for one ride: ask for a new one.'),
  idempotency_key_reused: page(
    422,
    'The key belongs to another request',
    'This Idempotency-Key came with another body before. A new request takes a new key.',
  ),
  wrong_start_code: page(
    409,
    'Wrong code',
    "Ask the rider for the four digits on the rider's screen: `triesLeft` says how many more tries there are.",
  ),
  start_code_locked: page(
    409,
    'Too many wrong codes',
    'No more codes of this driver are taken for the ride, not even the right one. An operator can start it, or give it to another driver.',
  ),
  ride_not_found: page(
    404,
    'No such ride',
    "There is no ride with this id, or it is somebody else's: the two are not told apart.",
  ),
  offer_not_found: page(
    404,
    'No such offer',
    "There is no offer with this id, or it is somebody else's: the two are not told apart.",
  ),
  tip_not_possible: page(
    409,
    'No tip possible',
    'A tip goes with a completed ride paid by card, for a while, and until the card was declined a few times.',
  ),
  tip_declined: page(402, 'The tip was declined', 'The card was declined; the ride itself is paid.'),
  tip_already_given: page(409, 'A tip was given', 'A ride takes one tip.'),
  payment_busy: {
    ...page(429, 'Too much at once', 'What was asked of the payment before is under way: ask again later.'),
    retryAfterSeconds: 1,
  },
  refund_not_possible: page(
    409,
    'No refund possible',
    'At most what was charged can be given back: `leftMinor` says how much of it is left. Where the provider refused, `reason` is its code; of a refund over several charges `missingMinor` has not gone back then: the same key asks for that again.',
  ),
  evidence_not_possible: page(
    409,
    'No evidence is heard',
    'A bank hears evidence once, until `evidenceDueAt`, and while it has not decided: `disputeStatus` says where it stands.',
  ),
  dispute_not_found: page(404, 'No such dispute', 'There is no dispute with this id.'),
  retry_not_possible: page(
    409,
    'Nothing to ask again for',
    'The payment waits for nothing of the provider: `paymentStatus` says how it stands.',
  ),
  resolve_not_possible: page(
    409,
    'Not a word that helps',
    'The payment does not wait for it, or the provider itself says otherwise: `detail` says which.',
  ),
  waive_not_possible: page(409, 'Nothing to waive', 'The rider owes nothing: it is `paymentStatus`.'),
  adjust_not_possible: page(
    409,
    'No such adjustment',
    'An ended ride that was charged can be charged otherwise for a while, up to the limit: `detail` says what is in the way.',
  ),
  receipt_not_ready: page(
    409,
    'No receipt yet',
    'The ride has not ended: `rideStatus` says where it is. What it costs so far is its `fare`.',
  ),
  rating_not_possible: page(
    409,
    'No rating possible',
    'A ride is rated by its rider and its driver when it is completed, for a while.',
  ),
  rating_already_given: page(409, 'A rating was given', 'A ride is rated once by each side, for good.'),
  share_not_possible: page(409, 'Nothing to share', 'The ride is over: `rideStatus` says how.'),
  share_not_found: page(
    404,
    'No such link',
    'It was changed, has expired, was taken back, or the ride is over: these are not told apart.',
  ),
  trip_too_long: page(400, 'Too far', 'The trip is longer than we drive.'),
  too_many_drops: page(400, 'Too many drops', 'Send the rest with another courier: `maxDrops` is the most.'),
  courier_cycle: page(
    400,
    'The way comes back',
    'A drop is at the pickup or where another drop is: `drop` says which. Name every place once.',
  ),
  ...erasureProblems,
};

/** The refusal that a workflow's failure carries, its code as the type; undefined for a failure of another kind. */
export function refusalIn(failure: {
  readonly type?: string | null | undefined;
  readonly message: string;
  readonly details?: readonly unknown[] | null | undefined;
}): DomainError | undefined {
  if (!isErrorCode(failure.type)) return undefined;
  const details = failure.details?.[0] as Record<string, unknown> | undefined;
  return new DomainError(failure.type, failure.message, details ?? {});
}

const isErrorCode = (type: string | undefined | null): type is ErrorCode =>
  typeof type === 'string' && Object.hasOwn(problemPages, type);
