import { z } from 'zod';
import { hasCardNumber } from '../domain/cardNumber';
import { products, vehicles } from '../domain/fare';
import type { FareLine } from '../domain/fare';
import { MOST_MINOR } from '../domain/money';
import { personsId } from '../domain/names';
import { ERASED, NOWHERE, personal } from './personalMarks';

/** Shapes that facts and the API have in common. Readers ignore fields they do not know; requests are strict. */
export const uuid = z.uuid();
/** Postgres has no year 0, and reads no fraction of hundreds of digits. */
export const time = z.iso
  .datetime()
  .refine((at) => !at.startsWith('0000') && at.length <= 40, 'a year from 1 on, 40 characters at most');
export const subjectId = z.string().regex(personsId, 'letters, digits, _ and -, at most 64');
export const minor = z.int().min(0).max(MOST_MINOR);
export const currency = z.string().regex(/^[A-Z]{3}$/, 'an ISO 4217 code');

/**
 * What people type, of 1 to `max` characters (or from `min`). A card number is refused: it would be kept in places that
 * must not have any.
 */
export const freeText = (max: number, { min = 1 } = {}) =>
  z
    .string()
    .trim()
    .min(min)
    .max(max)
    .refine((text) => !hasCardNumber(text), 'no card numbers: 13 to 19 digits that could be one')
    .describe('free text; refused where it has a card number in it');

export const point = z.object({ lat: z.number().min(-90).max(90), lng: z.number().min(-180).max(180) });

/** A hexagon of H3, by its index. */
export const cell = z.string().regex(/^[0-9a-f]{15}$/, 'an H3 index');

/** A place where a rider was or meant to be, in a fact. */
export const ridersPlace = personal(point, 'riderId', NOWHERE);
export const ridersPlaces = personal(z.array(point), 'riderId', []);

export const product = z.enum(products as ['standard', 'xl', 'courier']);
export const vehicle = z.enum(vehicles as ['standard', 'xl']);

const fareLineKind = z
  .string()
  .min(1)
  .max(32)
  .describe(
    'base, distance, time, stop, minimum, surge, toll, tax, adjustment; more may come',
  ) as unknown as z.ZodType<FareLine['kind']>;

export const fare = z.object({
  currency,
  totalMinor: minor,
  lines: z.array(
    z.object({
      kind: fareLineKind,
      name: z.string().max(100).optional().describe('what a toll or a tax is called on the receipt'),
      amountMinor: z.int(),
    }),
  ),
});

export const paymentMethod = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('card'),
    token: personal(z.string().min(1).max(255), 'riderId', ERASED),
  }),
  z.object({ type: z.literal('cash') }),
]);
