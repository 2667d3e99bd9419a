import { createHmac } from 'node:crypto';

/**
 * The four digits that a rider tells the driver. Made from the ride's id with a secret of the service, so that no
 * fact and no log carries them.
 */
export function startCodeFor(secret: string, rideId: string): string {
  const digest = createHmac('sha256', secret).update(rideId).digest();
  return String(digest.readUInt32BE(0) % 10_000).padStart(4, '0');
}
