import { z } from 'zod';
import { rideView } from './rides';

/** What operations on one ride have in common. */

export const rideId = z.string().describe('the id of a ride');

/** A malformed id is an unknown one: the path takes any text. */
export const rideIdParam = z.strictObject({ rideId });

/** What an action on a ride answers. */
export const rideAction = { status: 200, description: 'The ride as it is now', body: rideView } as const;
