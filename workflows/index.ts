export { dispute } from './dispute';
export { payment } from './payment';
export { payout } from './payout';
export { payoutBatch } from './payoutBatch';
export { reconciliation } from './reconciliation';
export { ride } from './ride';
export { scheduledRide } from './scheduledRide';
