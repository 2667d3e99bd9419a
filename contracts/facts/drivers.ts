import { z } from 'zod';
import { product, subjectId } from '../shared';

/** What happened to a driver's account and shift. */
export const driverFacts = {
  'driver.registered': z.object({ driverId: subjectId, name: z.string(), plate: z.string(), product }),
  'driver.went_online': z.object({ driverId: subjectId }),
  'driver.went_offline': z.object({ driverId: subjectId }),
};
