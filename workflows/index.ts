export { dispute } from './dispute';
export { lateRefunds } from './lateRefunds';
export { payment } from './payment';
export { payout } from './payout';
export { payoutBatch } from './payoutBatch';
export { reconciliation } from './reconciliation';
export { ride } from './ride';
export { scheduledRide } from './scheduledRide';
