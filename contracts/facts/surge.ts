import { z } from 'zod';
import { cell, time } from '../shared';

/** What demand does to prices, by place: an aggregate for each cell. */
export const surgeFacts = {
  'surge.changed': z
    .object({
      cell: cell.describe('H3, resolution 8'),
      multiplier: z.number().min(1).describe('what fares of rides from there are multiplied by'),
      demand: z
        .number()
        .min(0)
        .describe('riders who asked for a ride around the cell lately, the latest weighing most'),
      supply: z.number().min(0).describe('drivers who became free there, weighed alike'),
      validUntil: time.describe('from then on it is 1, unless another fact says otherwise'),
    })
    .describe('Rides from a cell cost more, or less, than before; or they go on costing more.'),
};
