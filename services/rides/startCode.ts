import { createHmac } from 'node:crypto';
import { DomainError } from '../../domain/errors';
import type { Queryable } from '../../platform/postgres';

/** So often may a driver be wrong about a ride's code: one who guesses is right in one of 2,000 rides. */
export const WRONG_CODES_ALLOWED = 5;

/**
 * The four digits that a rider tells the driver. Made from the ride's id with a secret of the service, so that no
 * fact and no log carries them.
 */
export function startCodeFor(secret: string, rideId: string): string {
  const digest = createHmac('sha256', secret).update(rideId).digest();
  return String(digest.readUInt32BE(0) % 10_000).padStart(4, '0');
}

/**
 * Counts a driver's try at the ride's code: resolves where it was right and not too many before it were wrong. Right or
 * wrong, it takes its turn at one row, so that guesses sent at once are as few as guesses sent one after another.
 * @throws DomainError `wrong_start_code`; `start_code_locked`, for the right one, too
 */
export async function countCodeTry(
  db: Queryable,
  {
    rideId,
    driverId,
    isRight,
  }: { readonly rideId: string; readonly driverId: string; readonly isRight: boolean },
): Promise<void> {
  const { rows } = await db.query<{ wrong: number }>({
    name: 'start-code-try',
    text: `insert into start_code_tries as tries (ride_id, driver_id, wrong) values ($1, $2, $3)
           on conflict (ride_id, driver_id) do update set wrong = tries.wrong + excluded.wrong
           where tries.wrong < $4
           returning wrong`,
    values: [rideId, driverId, isRight ? 0 : 1, WRONG_CODES_ALLOWED],
  });
  const [counted] = rows;
  if (counted === undefined) {
    throw new DomainError('start_code_locked', 'Too many codes were wrong: ask an operator.');
  }
  if (isRight) return;
  throw new DomainError('wrong_start_code', 'This is not the code of the ride.', {
    triesLeft: WRONG_CODES_ALLOWED - counted.wrong,
  });
}
