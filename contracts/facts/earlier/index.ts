import { quoteIssuedV1 } from './quoteIssuedV1';
import { rideRequestedV1 } from './rideRequestedV1';
import type { EarlierVersion } from './version';

/** The versions of facts that have newer ones, the first first. `npx hailway fact evolve` adds to them. */
export const earlierVersions: Readonly<Record<string, readonly EarlierVersion[]>> = {
  'quote.issued': [quoteIssuedV1],
  'ride.requested': [rideRequestedV1],
};
