import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { catalogue } from '../../contracts/catalogue';
import { jsonSchema } from '../../contracts/jsonSchema';
import { incompatibilities } from '../../tools/generate/compatibility';
import { checkPublished, publishedSchema } from '../../tools/generate/published';

const arrived = z.object({
  driverId: z.string(),
  at: z.object({ lat: z.number() }),
  note: z.string().optional(),
  method: z.discriminatedUnion('type', [z.object({ type: z.literal('card'), token: z.string() })]),
});

const changes = (next: z.ZodType): string[] => incompatibilities(jsonSchema(arrived), jsonSchema(next));

describe('a published fact', () => {
  test('may gain an optional field, at any depth, and a description', () => {
    expect(changes(arrived)).toEqual([]);
    expect(changes(arrived.extend({ plate: z.string().optional() }))).toEqual([]);
    expect(
      changes(arrived.extend({ at: z.object({ lat: z.number(), accuracy: z.number().optional() }) })),
    ).toEqual([]);
    expect(changes(arrived.extend({ driverId: z.string().describe('who') }))).toEqual([]);
  });

  test.each([
    ['loses a field', arrived.omit({ driverId: true }), '/driverId was removed'],
    ['loses an optional field', arrived.omit({ note: true }), '/note was removed'],
    ['gains a required field', arrived.extend({ plate: z.string() }), '/plate became required'],
    ['demands what was optional', arrived.extend({ note: z.string() }), '/note became required'],
    [
      'no longer says what it always said',
      arrived.extend({ driverId: z.string().optional() }),
      '/driverId is no longer required',
    ],
    ['changes a type', arrived.extend({ driverId: z.number() }), '/driverId: type changed'],
    ['narrows a value', arrived.extend({ driverId: z.string().max(3) }), '/driverId: maxLength changed'],
    [
      'demands more inside',
      arrived.extend({ at: z.object({ lat: z.number(), lng: z.number() }) }),
      '/at/lng became required',
    ],
    ['is closed', arrived.strict(), '/: additionalProperties changed'],
    [
      'gains a kind',
      arrived.extend({
        method: z.discriminatedUnion('type', [
          z.object({ type: z.literal('card'), token: z.string() }),
          z.object({ type: z.literal('cash') }),
        ]),
      }),
      '/method/oneOf changed',
    ],
  ])('is refused when it %s', (_what, next, change) => {
    expect(changes(next)).toContain(change);
  });

  test('every fact of the catalogue is held against its frozen schema', () => {
    expect(
      checkPublished(catalogue, join(__dirname, '../../contracts/published'), { create: false }),
    ).toEqual([]);
  });

  test('a frozen file is made once, and never written again', () => {
    const dir = mkdtempSync(join(tmpdir(), 'published-'));
    try {
      const fact = { type: 'ride.arrived', version: 1, schema: arrived };
      expect(checkPublished([fact], dir, { create: false })).toHaveLength(1);
      expect(checkPublished([fact], dir, { create: true })).toEqual([]);
      const file = join(dir, 'ride.arrived.v1.json');
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(publishedSchema(fact));

      const compact = JSON.stringify(publishedSchema(fact));
      writeFileSync(file, compact);
      const grown = { ...fact, schema: arrived.extend({ plate: z.string().optional() }) };
      expect(checkPublished([grown], dir, { create: true })).toEqual([]);
      const broken = { ...fact, schema: arrived.omit({ driverId: true }) };
      expect(checkPublished([broken], dir, { create: true })).not.toEqual([]);
      expect(checkPublished([], dir, { create: true })).toHaveLength(1);
      expect(readFileSync(file, 'utf8')).toBe(compact);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
