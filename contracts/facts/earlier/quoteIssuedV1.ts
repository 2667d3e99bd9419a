import { z } from 'zod';
import { time } from '../../shared';
import { pricingFacts } from '../pricing';
import { quotedV1 } from './quoted';
import { earlier } from './version';

export const quoteIssuedV1 = earlier({
  schema: z.object({ ...quotedV1, surge: z.number().min(1), expiresAt: time }),
  next: pricingFacts['quote.issued'],
  changed:
    'couriers, stops on the way, rides for a later time; tolls, taxes and kinds to come among the lines of a fare',
  // What it lacks has a default: no stops, and now.
  upcast: (data) => data,
});
