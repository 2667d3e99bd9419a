export { payment } from './payment';
export { ride } from './ride';
export { scheduledRide } from './scheduledRide';
