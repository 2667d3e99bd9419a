import { z } from 'zod';
import { personalText } from '../personalMarks';
import { cell, subjectId, vehicle } from '../shared';

/** What happened to a driver's account and shift. */
export const driverFacts = {
  'driver.registered': z
    .object({
      driverId: subjectId,
      name: personalText('driverId'),
      plate: personalText('driverId'),
      product: vehicle,
      fleetId: subjectId.optional().describe('the fleet that may send positions of the driver'),
    })
    .describe('A driver is known, or what is known of them has changed.'),
  'driver.went_online': z
    .object({
      driverId: subjectId,
      cell: cell.optional().describe('the H3 cell (resolution 8) where the app says that the shift begins'),
    })
    .describe('A shift begins.'),
  'driver.went_offline': z.object({ driverId: subjectId }).describe('A shift ends.'),
};
