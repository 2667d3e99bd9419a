import { z } from 'zod';
import { RIM_METERS } from '../../domain/zones';
import { subjectId } from '../shared';
import { zoneId } from '../zones';

const crossing = {
  driverId: subjectId,
  zoneId: zoneId.describe('an airport, an event: of the file that ZONES_FILE names'),
  positionSequence: z.int().min(0).describe('of the position by which it was seen'),
};

/** Where drivers are, as far as that is a fact: an aggregate for each driver who has ever been in a zone. */
export const zoneFacts = {
  'zone.entered': z.object(crossing).describe('A driver is in a zone, and was not before.'),
  'zone.left': z
    .object(crossing)
    .describe(`A driver who was in a zone is more than ${RIM_METERS} m outside.`),
};
