import { positionsMediaType } from '../../../contracts/api/positions';
import { PositionWriter } from '../../../contracts/positionWriter';
import type { LoadOrder } from './order';

/** What a driver's app sends at once. */
export const POSITIONS_A_REQUEST = 10;
/** What a fleet sends at once. */
export const POSITIONS_A_FLEET = 500;
/** All of one fleet, and registered. */
export const DRIVERS = 200_000;
export const FLEET = 'fleet-1';

/** Requests until a fleet sends of the same drivers again. */
const FLEETS_GROUPS = DRIVERS / POSITIONS_A_FLEET;

/** A UUID of version 7, as registration gives them. */
export const driverIdOf = (n: number): string =>
  `019a0000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

export interface PreparedRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** No two requests are the same: their senders take turns, and sequences rise. The same number is the same for whoever gets it. */
export function requestsOf({ senders, atMs, first, amount }: LoadOrder): PreparedRequest[] {
  return Array.from({ length: amount }, (_, i) => {
    const n = first + i;
    if (senders.are === 'fleet') return prepared(senders.token, positionsMediaType, ofFleet(n, atMs));
    const { tokens } = senders;
    return prepared(
      tokens[n % tokens.length]!,
      'application/json',
      ofDriver(Math.floor(n / tokens.length), atMs),
    );
  });
}

const prepared = (token: string, mediaType: string, body: Uint8Array | string): PreparedRequest => ({
  headers: { authorization: `Bearer ${token}`, 'content-type': mediaType },
  body: Buffer.from(body),
});

/** @param turn how often the driver has sent before */
const ofDriver = (turn: number, atMs: number): string =>
  JSON.stringify({ positions: positionsOfDriver(turn, atMs) });

export function positionsOfDriver(turn: number, atMs: number) {
  const at = new Date(atMs).toISOString();
  return Array.from({ length: POSITIONS_A_REQUEST }, (_, i) => {
    const sequence = turn * POSITIONS_A_REQUEST + i;
    const way = (sequence % 1_000) / 1e4;
    return { lat: 40.7 + way, lng: -73.9 - way, sequence, at };
  });
}

/** Drivers of a request are not those who have registered one after another: they lie all over the table's index. */
function ofFleet(n: number, atMs: number): Uint8Array {
  const writer = new PositionWriter(atMs);
  for (let i = 0; i < POSITIONS_A_FLEET; i += 1) {
    const way = (i + (n % 10) / 10) / 2_000;
    writer.add({
      driverId: driverIdOf((n % FLEETS_GROUPS) + i * FLEETS_GROUPS),
      ...{ lat: 40.6 + way, lng: -73.9 - way, sequence: n, atMs },
    });
  }
  return writer.finish();
}
