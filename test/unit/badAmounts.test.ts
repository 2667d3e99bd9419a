import { z } from 'zod';
import { operations } from '../../contracts/api/operations';
import { MOST_MINOR } from '../../domain/money';

/** Every amount that the API takes: its operation, its field, and whether nothing is an amount there. */
const amounts = Object.entries(operations).flatMap(([id, { request }]) => {
  const body = 'body' in request ? request.body : undefined;
  if (!(body instanceof z.ZodObject)) return [];
  return Object.keys(body.shape)
    .filter((field) => field.endsWith('Minor'))
    .map((field) => ({ id, field, body: body as z.ZodObject, mayBeZero: field !== 'amountMinor' }));
});

/** Where a body is refused. */
const refusedAt = (body: z.ZodObject, given: object): string[] =>
  (body.safeParse(given).error?.issues ?? []).map(({ path, code }) =>
    code === 'unrecognized_keys' ? 'unknown' : path.join('.'),
  );

it('knows the operations with amounts', () => {
  expect(amounts.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['tipRide', 'refundRide', 'adjustFare']),
  );
});

describe.each(amounts)('$id: $field', ({ field, body, mayBeZero }) => {
  it.each([
    -1,
    0.5,
    1.000_001,
    1e-9,
    MOST_MINOR + 1,
    2 ** 53,
    Infinity,
    NaN,
    '5',
    null,
    [5],
    { minor: 5 },
    true,
  ])('is not %j', (amount) => {
    expect(refusedAt(body, { [field]: amount })).toContain(field);
  });

  it('is not of another currency than the ride', () => {
    expect(refusedAt(body, { [field]: 5, currency: 'EUR' })).toContain('unknown');
  });

  it(`may be 1${mayBeZero ? ', and nothing' : ', and not nothing'}`, () => {
    expect(refusedAt(body, { [field]: 1 })).not.toContain(field);
    expect(refusedAt(body, { [field]: 0 }).includes(field)).toBe(!mayBeZero);
  });
});
