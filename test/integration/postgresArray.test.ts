import fc from 'fast-check';
import { arrayOf } from '../../platform/postgresArray';
import { testDatabase, type TestDatabase } from '../support/backbone';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db?.drop());

const odd = fc.constantFrom(
  '',
  'null',
  'NULL',
  'Null',
  '{}',
  '{a}',
  'a,b',
  '"',
  '\\',
  '\\"',
  ' a ',
  'a\n',
  'ä',
  '-',
);
const text = fc.oneof(
  odd,
  fc.string({ unit: 'grapheme' }).filter((one) => !one.includes('\0')),
  fc.uuid(),
);

test('Postgres reads texts as they were', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(text)), async (values) => {
      const { rows } = await db.pool.query<{ read: unknown }>('select to_json($1::text[]) as read', [
        arrayOf(values),
      ]);
      expect(rows).toEqual([{ read: values }]);
    }),
    { numRuns: 500 },
  );
});

test('and numbers and booleans', async () => {
  const numbers = fc.array(
    fc.option(fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }))),
  );
  await fc.assert(
    fc.asyncProperty(numbers, fc.array(fc.option(fc.boolean())), async (given, booleans) => {
      // There is no -0 in JSON.
      const values = given.map((one) => (one === null ? null : one + 0));
      const { rows } = await db.pool.query(
        'select to_json($1::double precision[]) as numbers, to_json($2::boolean[]) as booleans',
        [arrayOf(values), arrayOf(booleans)],
      );
      expect(rows).toEqual([{ numbers: values, booleans }]);
    }),
    { numRuns: 200 },
  );
});
