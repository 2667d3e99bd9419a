import { analyticsOperations } from './analyticsOperations';
import { z } from 'zod';
import { companionOperations } from './companionOperations';
import { deadLetterOperations } from './deadLetters';
import { driverOperations } from './driverOperations';
import { erasureOperations } from './erasure';
import { operatorOperations } from './operatorOperations';
import { payoutOperations } from './payoutOperations';
import { overviewView, timelineView } from './ops';
import type { Operation } from './operation';
import { paymentOperations } from './paymentOperations';
import { providerOperations } from './providerEvents';
import { rideAction, rideIdParam } from './rideOperation';
import { quoteRequest, quoteView } from './quotes';
import { receiptOperations } from './receipts';
import { routeOperations } from './routeOperations';
import {
  arriveBody,
  cancelBody,
  cancellationPreview,
  endBody,
  idempotencyKey,
  refundBody,
  refundView,
  rescheduleBody,
  rideAccepted,
  rideEvent,
  rideRequestBody,
  rideView,
  startBody,
  tipBody,
  tipView,
} from './rides';
import { trackOperations } from './tracks';
import { webhookOperations } from './webhookOperations';
import { withinOperations } from './within';

const keyHeader = z.object({ 'idempotency-key': idempotencyKey });
/** What an EventSource sends back is what it was given: a version of the ride. */
const lastVersion = z
  .string()
  .regex(/^(0|[1-9]\d{0,8})$/, 'the id of an event of this stream, or 0')
  .transform(Number);
const resumeHeader = z.object({ 'last-event-id': lastVersion.optional() });
const quoteProblems = ['quote_invalid', 'quote_expired', 'quote_used'] as const;
const scheduleProblems = ['scheduled_too_soon', 'scheduled_too_late'] as const;
const drivingProblems = ['ride_not_found', 'illegal_transition', 'not_your_ride'] as const;

export const operations = {
  createQuote: {
    method: 'post',
    path: '/v1/quotes',
    summary: 'Ask what a ride costs, or (`changesRideId`) another way of one that is under way',
    tag: 'quotes',
    roles: ['rider'],
    request: { body: quoteRequest },
    response: {
      status: 201,
      description: 'The quote, good for one ride, or one change of that ride, until it expires',
      body: quoteView,
    },
    problems: ['trip_too_long', 'too_many_drops', 'courier_cycle', 'ride_not_found', 'subject_erased'],
  },
  requestRide: {
    method: 'post',
    path: '/v1/rides',
    summary: 'Request a ride with a quote, for now or (`scheduledFor`, here or in the quote) for later',
    tag: 'rides',
    roles: ['rider'],
    request: { headers: keyHeader, body: rideRequestBody },
    response: { status: 201, description: 'The ride is recorded and goes on by itself', body: rideAccepted },
    problems: [...quoteProblems, 'idempotency_key_reused', ...scheduleProblems, 'subject_erased'],
  },
  rescheduleRide: {
    method: 'patch',
    path: '/v1/rides/{rideId}',
    summary: 'Change a scheduled ride: its time, or with another quote what it is',
    tag: 'rides',
    roles: ['rider'],
    request: { params: rideIdParam, body: rescheduleBody },
    response: rideAction,
    problems: [
      'ride_not_found',
      'illegal_transition',
      ...quoteProblems,
      ...scheduleProblems,
      'too_many_changes',
    ],
  },
  getRide: {
    method: 'get',
    path: '/v1/rides/{rideId}',
    summary: 'Look at a ride',
    tag: 'rides',
    roles: ['rider', 'driver', 'operator', 'service'],
    request: { params: rideIdParam },
    response: { status: 200, description: 'The ride', body: rideView },
    problems: ['ride_not_found'],
  },
  rideEvents: {
    method: 'get',
    path: '/v1/rides/{rideId}/events',
    summary: "Follow a ride: every event from the first (or after Last-Event-ID) until the ride's end",
    tag: 'rides',
    roles: ['rider', 'driver', 'operator', 'service'],
    request: { params: rideIdParam, headers: resumeHeader },
    response: {
      status: 200,
      description: "Server-sent events: `id` is the ride's version, `event` the fact's type",
      events: { 'ride.*': rideEvent },
    },
    problems: ['ride_not_found'],
  },
  cancelRide: {
    method: 'post',
    path: '/v1/rides/{rideId}/cancel',
    summary: 'Cancel a ride; a driver who cancels gives it back to matching',
    tag: 'rides',
    roles: ['rider', 'driver', 'operator'],
    request: { params: rideIdParam, body: cancelBody },
    response: rideAction,
    problems: drivingProblems,
  },
  previewCancellation: {
    method: 'get',
    path: '/v1/rides/{rideId}/cancellation',
    summary: 'What a cancel would cost now',
    tag: 'rides',
    roles: ['rider'],
    request: { params: rideIdParam },
    response: {
      status: 200,
      description: 'The fee; a cancel with `previewToken` costs no more until it expires',
      body: cancellationPreview,
    },
    problems: ['ride_not_found', 'illegal_transition'],
  },
  endRide: {
    method: 'post',
    path: '/v1/rides/{rideId}/end',
    summary: 'End the ride here: the fare is for what was driven',
    tag: 'rides',
    roles: ['rider'],
    request: { params: rideIdParam, body: endBody },
    response: rideAction,
    problems: ['ride_not_found', 'illegal_transition'],
  },
  tipRide: {
    method: 'post',
    path: '/v1/rides/{rideId}/tip',
    summary: 'Tip the driver after the ride',
    tag: 'rides',
    roles: ['rider'],
    request: { params: rideIdParam, body: tipBody },
    response: { status: 200, description: 'The tip was charged', body: tipView },
    problems: ['ride_not_found', 'tip_not_possible', 'tip_declined', 'tip_already_given', 'payment_busy'],
  },
  arrive: {
    method: 'post',
    path: '/v1/rides/{rideId}/arrive',
    summary: 'The driver is at the pickup',
    tag: 'rides',
    roles: ['driver'],
    request: { params: rideIdParam, body: arriveBody },
    response: rideAction,
    problems: [...drivingProblems, 'too_far_from_pickup', 'position_unknown'],
  },
  start: {
    method: 'post',
    path: '/v1/rides/{rideId}/start',
    summary: "The rider is in the car: start with the rider's code",
    tag: 'rides',
    roles: ['driver'],
    request: { params: rideIdParam, body: startBody },
    response: rideAction,
    problems: [...drivingProblems, 'wrong_start_code', 'start_code_locked'],
  },
  complete: {
    method: 'post',
    path: '/v1/rides/{rideId}/complete',
    summary: 'The ride is at its end',
    tag: 'rides',
    roles: ['driver'],
    request: { params: rideIdParam },
    response: rideAction,
    problems: drivingProblems,
  },
  reportNoShow: {
    method: 'post',
    path: '/v1/rides/{rideId}/no-show',
    summary: 'The rider did not come',
    tag: 'rides',
    roles: ['driver'],
    request: { params: rideIdParam },
    response: rideAction,
    problems: [...drivingProblems, 'no_show_too_early'],
  },
  ...routeOperations,
  ...receiptOperations,
  ...driverOperations,
  ...companionOperations,
  ...operatorOperations,
  ...erasureOperations,
  ...payoutOperations,
  ...webhookOperations,
  ...paymentOperations,
  ...providerOperations,
  ...deadLetterOperations,
  ...analyticsOperations,
  ...trackOperations,
  ...withinOperations,
  overview: {
    method: 'get',
    path: '/v1/ops/overview',
    summary: 'Rides by status, drivers by state',
    tag: 'ops',
    roles: ['operator', 'service'],
    request: {},
    response: { status: 200, description: 'The city now', body: overviewView },
    problems: [],
  },
  timeline: {
    method: 'get',
    path: '/v1/ops/rides/{rideId}/timeline',
    summary: 'Everything the audit store has on a ride and its payment',
    tag: 'ops',
    roles: ['operator', 'service'],
    request: { params: rideIdParam },
    response: { status: 200, description: "In the order of the facts' times", body: timelineView },
    problems: ['ride_not_found'],
  },
  refundRide: {
    method: 'post',
    path: '/v1/ops/rides/{rideId}/refunds',
    summary: 'Give money back; the same Idempotency-Key is the same refund',
    tag: 'ops',
    roles: ['operator'],
    request: { params: rideIdParam, headers: keyHeader, body: refundBody },
    response: { status: 201, description: 'What was given back', body: refundView },
    problems: ['ride_not_found', 'refund_not_possible', 'payment_busy'],
  },
} as const satisfies Record<string, Operation>;
