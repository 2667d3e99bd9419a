import { z } from 'zod';
import { paymentMethod, uuid } from '../../shared';
import { rideFacts } from '../rides';
import { quotedV1 } from './quoted';
import { earlier } from './version';

export const rideRequestedV1 = earlier({
  schema: z.object({ rideId: uuid, ...quotedV1, paymentMethod }),
  next: rideFacts['ride.requested'],
  changed:
    'couriers, stops on the way, rides for a later time; tolls, taxes and kinds to come among the lines of a fare',
  // What it lacks has a default: no stops, and now.
  upcast: (data) => data,
});
