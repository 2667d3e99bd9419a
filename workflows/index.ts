export { dispute } from './dispute';
export { payment } from './payment';
export { payout } from './payout';
export { payoutBatch } from './payoutBatch';
export { ride } from './ride';
export { scheduledRide } from './scheduledRide';
