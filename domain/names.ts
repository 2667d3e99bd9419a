/** The names by which the parts of the house find each other. One function or constant makes each. */

export const taskQueues = { rides: 'rides', payments: 'payments' } as const;

/** The Worker Deployments that carry a version each of the workflows' code: one for each task queue. */
export const deployments = { rides: 'hailway-rides', payments: 'hailway-payments' } as const;

/** What tokens' subjects, and so the ids of riders, drivers and operators, are made of. */
export const personsId = /^[A-Za-z0-9_-]{1,64}$/;

export const workflowTypes = {
  ride: 'ride',
  scheduledRide: 'scheduledRide',
  payment: 'payment',
  lateRefunds: 'lateRefunds',
  dispute: 'dispute',
  payoutBatch: 'payoutBatch',
  payout: 'payout',
  reconciliation: 'reconciliation',
} as const;

/** The id of the workflow that carries a ride. */
export const rideWorkflowId = (rideId: string): string => `ride-${rideId}`;

/** The id of the workflow in which a ride waits that was requested for later. */
export const scheduledRideWorkflowId = (rideId: string): string => `scheduled-${rideId}`;

/** The id of the workflow that carries a ride's payment; it outlives the ride. */
export const paymentWorkflowId = (rideId: string): string => `payment-${rideId}`;

/** The id of the workflow that looks what became of a payment's refunds when the payment's own is over. */
export const lateRefundsWorkflowId = (rideId: string): string => `late-refunds-${rideId}`;

/** The id of the workflow that carries a dispute; disputes have the provider's ids. */
export const disputeWorkflowId = (disputeId: string): string => `dispute-${disputeId}`;

/** The id of the workflow that carries a payout to a driver. One that is over is begun anew by news of its transfer. */
export const payoutWorkflowId = (payoutId: string): string => `payout-${payoutId}`;

/** The aggregate of where a driver's payouts go. */
export const payoutAccountId = (driverId: string): string => `payout-account-${driverId}`;

/** The aggregate of the zones that a driver enters and leaves. */
export const zonesOfDriver = (driverId: string): string => `zones-of-${driverId}`;

/** The aggregate of a person's erasure. */
export const erasureId = (subject: string): string => `erasure-${subject}`;

/** The Schedule of the weekly payouts; the server puts the time behind the id for the workflows that it starts. */
export const payoutSchedule = { scheduleId: 'payouts-weekly', workflowId: 'payouts' } as const;

/** The Schedule that has the books compared with what everybody else says, and its workflow's id. */
export const reconciliationSchedule = {
  scheduleId: 'reconciliation-hourly',
  workflowId: 'reconciliation',
} as const;

/** What operators find workflows by, in Temporal's visibility. Opaque ids and words, nothing about a person. */
export const searchAttributes = {
  status: { name: 'HailwayStatus', type: 'KEYWORD' },
  region: { name: 'HailwayRegion', type: 'KEYWORD' },
  product: { name: 'HailwayProduct', type: 'KEYWORD' },
  riderId: { name: 'HailwayRiderId', type: 'KEYWORD' },
  driverId: { name: 'HailwayDriverId', type: 'KEYWORD' },
  pickupHour: { name: 'HailwayPickupHour', type: 'KEYWORD' },
  stuck: { name: 'HailwayStuck', type: 'BOOL' },
} as const;

/** A step's deterministic id: the same step of the same round is the same id after any retry or replay. */
export const stepId = (aggregateId: string, step: string, round = 0): string =>
  `${aggregateId}/${step}/${round}`;

/** Updates that a ride's workflow answers. */
export const rideUpdates = {
  request: 'request',
  offerAccepted: 'offerAccepted',
  arrive: 'arrive',
  start: 'start',
  reachStop: 'reachStop',
  proposeRoute: 'proposeRoute',
  withdrawRoute: 'withdrawRoute',
  acceptRoute: 'acceptRoute',
  declineRoute: 'declineRoute',
  complete: 'complete',
  endEarly: 'endEarly',
  reportNoShow: 'reportNoShow',
  unassign: 'unassign',
  reschedule: 'reschedule',
  cancel: 'cancel',
  reassign: 'reassign',
  forceComplete: 'forceComplete',
  adjustFare: 'adjustFare',
} as const;

/** What the workflow of a scheduled ride says, as a failure's type, when the ride is no longer its own. */
export const rideReleased = 'ride_released';

/**
 * What a call to a provider that wants to be asked later fails with, as a failure's type; its details are the pause in
 * milliseconds, and whether an attempt may have reached the provider: `never_asked` or `may_have_happened`.
 */
export const providerBusy = 'provider_busy';

/** Signals between a ride, its payment, another ride of its driver, and the gateway. */
export const rideSignals = {
  paymentAuthorized: 'paymentAuthorized',
  paymentDeclined: 'paymentDeclined',
  offersDeclined: 'offersDeclined',
  driverFree: 'driverFree',
} as const;
/** What a ride tells its payment: its last word, or that the hold gets old while it is still under way. */
export const paymentSignals = { rideEnded: 'rideEnded', holdAges: 'holdAges' } as const;

/** Updates that a payment's workflow answers; the last four are an operator's. */
export const paymentUpdates = {
  tip: 'tip',
  refund: 'refund',
  raiseHold: 'raiseHold',
  retryNow: 'retryNow',
  markResolved: 'markResolved',
  waiveFee: 'waiveFee',
  adjustCharge: 'adjustCharge',
} as const;

/**
 * Tells a payment, a dispute or a payout that the provider has said something: it looks at the provider then. See
 * `ProviderNews`.
 */
export const providerNews = 'providerNews';

/** The provider's ids of refunds, and of what charges a card. */
export const refundIdForm = /^(re|pyr)_/;
export const intentIdForm = /^pi_/;

/** Whether news is about a refund: it has the provider's id of one. */
export const isOfRefund = ({ objectId }: { readonly objectId: string }): boolean =>
  refundIdForm.test(objectId);

/** What the start of a payout fails with, as a failure's type, where the driver's balance has become too small for it. */
export const payoutNotCovered = 'payout_not_covered';

/** Updates that a dispute's workflow answers. */
export const disputeUpdates = { submitEvidence: 'submitEvidence' } as const;

/** An operator's word on a compensation that cannot be done: try it again, or leave it. */
export const operatorUpdates = {
  retryCompensation: 'retryCompensation',
  skipCompensation: 'skipCompensation',
} as const;
