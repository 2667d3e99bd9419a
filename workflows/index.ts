export { payment } from './payment';
export { ride } from './ride';
