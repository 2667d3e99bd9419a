import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { catalogue } from '../../contracts/catalogue';
import { jsonSchema, type JsonSchema } from '../../contracts/jsonSchema';
import { breaksBetween } from '../../tools/generate/compatibility';
import { checkPublished, frozenList, publishedSchema } from '../../tools/generate/published';

const card = z.object({ type: z.literal('card'), token: z.string() });
const cash = z.object({ type: z.literal('cash') });
const arrived = z.object({
  driverId: z.string(),
  at: z.object({ lat: z.number().min(-90).max(90) }),
  note: z.string().max(80).optional(),
  code: z.string().regex(/^[0-9]{4}$/),
  seenAt: z.iso.datetime().nullable(),
  by: z.enum(['driver', 'operator']),
  floor: z.int().default(0),
  method: z.discriminatedUnion('type', [card, cash]),
  legs: z.array(z.object({ kind: z.string(), meters: z.int() })),
  counts: z.record(z.string(), z.int()),
});

const changes = (next: JsonSchema, from: JsonSchema = jsonSchema(arrived)): string[] =>
  breaksBetween(from, next).map(({ path, kind, was, is }) => `${path}: ${kind}: ${was} -> ${is}`);
const changed = (shape: z.ZodRawShape): JsonSchema => jsonSchema(arrived.extend(shape));

describe('a published fact', () => {
  test('may gain an optional field, at any depth, and words about it', () => {
    expect(changes(jsonSchema(arrived))).toEqual([]);
    expect(changes(changed({ plate: z.string().optional() }))).toEqual([]);
    const at = arrived.shape.at.extend({ accuracy: z.number().optional() });
    expect(changes(changed({ at }))).toEqual([]);
    expect(changes(changed({ driverId: z.string().describe('who').meta({ personal: 'driver' }) }))).toEqual(
      [],
    );
    // In another order nothing is another thing.
    expect(changes(changed({ method: z.discriminatedUnion('type', [cash, card]) }))).toEqual([]);
    expect(changes(changed({ by: z.enum(['operator', 'driver']) }))).toEqual([]);
  });

  test.each<[string, JsonSchema, string]>([
    [
      'loses a field',
      jsonSchema(arrived.omit({ driverId: true })),
      'driverId: field removed: string -> nothing',
    ],
    [
      'loses an optional field',
      jsonSchema(arrived.omit({ note: true })),
      'note: field removed: string -> nothing',
    ],
    ['gains a required field', changed({ plate: z.string() }), 'plate: required added: nothing -> required'],
    [
      'demands what was optional',
      changed({ note: z.string().max(80) }),
      'note: required added: optional -> required',
    ],
    [
      'no longer says what it always said',
      changed({ driverId: z.string().optional() }),
      'driverId: required removed: required -> optional',
    ],
    ['changes a type', changed({ driverId: z.number() }), 'driverId: type changed: string -> number'],
    [
      'makes one value a union',
      changed({ driverId: z.union([z.string(), z.int()]) }),
      'driverId: type changed: string -> string or integer',
    ],
    [
      'narrows an enum',
      changed({ by: z.enum(['driver']) }),
      'by: enum narrowed: "driver", "operator" -> "driver"',
    ],
    ['lists what was free', changed({ driverId: z.enum(['a']) }), 'driverId: enum narrowed: any -> "a"'],
    [
      'widens an enum',
      changed({ by: z.enum(['driver', 'operator', 'rider']) }),
      'by: enum widened: "driver", "operator" -> "driver", "operator", "rider"',
    ],
    [
      'tightens a bound',
      changed({ note: z.string().max(40).optional() }),
      'note: bound tightened: maxLength 80 -> maxLength 40',
    ],
    [
      'sets a bound',
      changed({ driverId: z.string().min(2) }),
      'driverId: bound tightened: no minLength -> minLength 2',
    ],
    [
      'loosens a bound inside',
      changed({ at: z.object({ lat: z.number().min(-91).max(90) }) }),
      'at.lat: bound loosened: minimum -90 -> minimum -91',
    ],
    [
      'demands a pattern',
      changed({ driverId: z.string().regex(/^a/) }),
      'driverId: pattern added: nothing -> "^a"',
    ],
    [
      'changes a pattern',
      changed({ code: z.string().regex(/^[0-9]{6}$/) }),
      'code: pattern changed: "^[0-9]{4}$" -> "^[0-9]{6}$"',
    ],
    ['drops a pattern', changed({ code: z.string() }), 'code: pattern removed: "^[0-9]{4}$" -> nothing'],
    ['demands a format', changed({ driverId: z.uuid() }), 'driverId: format added: nothing -> "uuid"'],
    [
      'takes null away',
      changed({ seenAt: z.iso.datetime() }),
      'seenAt: null taken away: string (date-time) or null -> string (date-time)',
    ],
    [
      'allows null',
      changed({ driverId: z.string().nullable() }),
      'driverId: null allowed: string -> string or null',
    ],
    ['changes a default', changed({ floor: z.int().default(1) }), 'floor: default changed: 0 -> 1'],
    ['is closed', jsonSchema(arrived.strict()), ': additionalProperties closed: true -> false'],
    [
      'changes the values of a record',
      changed({ counts: z.record(z.string(), z.string()) }),
      'counts{}: type changed: integer -> string',
    ],
    [
      'loses a kind',
      changed({ method: z.discriminatedUnion('type', [cash]) }),
      'method<type "card">: union branch removed: object -> nothing',
    ],
    [
      'gains a kind',
      changed({
        method: z.discriminatedUnion('type', [card, cash, z.object({ type: z.literal('points') })]),
      }),
      'method<type "points">: union branch added: nothing -> object',
    ],
    [
      'changes a kind',
      changed({ method: z.discriminatedUnion('type', [cash, card.omit({ token: true })]) }),
      'method<type "card">.token: field removed: string -> nothing',
    ],
    [
      'demands more of the items of a list',
      changed({ legs: z.array(z.object({ kind: z.string(), meters: z.int(), toll: z.int() })) }),
      'legs[].toll: required added: nothing -> required',
    ],
    [
      'says something that is not understood here',
      { ...jsonSchema(arrived), minContains: 2 },
      'minContains: changed: nothing -> 2',
    ],
  ])('is refused when it %s', (_what, next, change) => {
    expect(changes(next)).toEqual([change]);
  });

  test('is followed through its references, also where they go round', () => {
    const tree = (kind: string): JsonSchema => ({
      ...{ type: 'object', properties: { root: { $ref: '#/$defs/node' } } },
      $defs: {
        node: {
          type: 'object',
          properties: { kind: { type: kind }, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
        },
      },
    });
    expect(changes(tree('string'), tree('string'))).toEqual([]);
    expect(changes(tree('integer'), tree('string'))).toEqual(['root.kind: type changed: string -> integer']);
    expect(() => changes({ ...tree('string'), $defs: {} }, tree('string'))).toThrow('#/$defs/node');
  });

  test('of a closed object gains nothing: its readers refuse what it does not name', () => {
    const closed = z.strictObject({ a: z.string() });
    expect(changes(jsonSchema(closed.extend({ b: z.string().optional() })), jsonSchema(closed))).toEqual([
      'b: field added to a closed object: nothing -> string',
    ]);
  });
});

describe('the frozen schemas', () => {
  const dir = mkdtempSync(join(tmpdir(), 'published-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  test('are those of every fact of the catalogue', () => {
    const published = join(__dirname, '../../contracts/published');
    expect(checkPublished(catalogue, published, { create: false })).toEqual([]);
  });

  test('are made once, and never written again; what breaks, is edited or deleted is said in words', () => {
    const fact = { type: 'ride.arrived', version: 1, schema: arrived };
    const check = (schema: z.ZodType = arrived, create = false): string[] =>
      checkPublished([{ ...fact, schema }], dir, { create });
    expect(check()).toEqual([expect.stringContaining('ride.arrived.v1 is not frozen yet')]);
    expect(check(arrived, true)).toEqual([]);
    const file = join(dir, 'ride.arrived.v1.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(publishedSchema(fact));

    // Indented otherwise it says the same.
    const compact = JSON.stringify(publishedSchema(fact));
    writeFileSync(file, compact);
    expect(check(arrived.extend({ plate: z.string().optional() }), true)).toEqual([]);
    expect(check(arrived.omit({ driverId: true }), true)).toEqual([
      'ride.arrived version 1, driverId: field removed (was string, is nothing); who reads it finds it missing: put it ' +
        'back, and make version 2 by `npx hailway fact evolve ride.arrived`.',
    ]);
    expect(checkPublished([], dir, { create: true })).toEqual([
      expect.stringContaining('ride.arrived.v1 is published, and no fact of the catalogue has it'),
    ]);
    expect(readFileSync(file, 'utf8')).toBe(compact);

    const first = { ...fact, schema: arrived.extend({ by: z.string() }) };
    expect(checkPublished([first, { ...fact, version: 2 }], dir, { create: false })).toEqual([
      expect.stringContaining('ride.arrived.v2 is not frozen yet'),
      expect.stringContaining('ride.arrived version 1, by: enum widened'),
    ]);

    const wider = arrived.extend({ by: z.string() });
    writeFileSync(file, JSON.stringify(publishedSchema({ ...fact, schema: wider })));
    const edited = 'contracts/published/ride.arrived.v1.json is frozen, and was edited';
    expect(check(wider)).toEqual([expect.stringContaining(edited)]);
    expect(check(wider, true)).toEqual([expect.stringContaining(edited)]);

    unlinkSync(file);
    const deleted = 'contracts/published/ride.arrived.v1.json is frozen, and was deleted';
    expect(check(arrived, true)).toEqual([expect.stringContaining(deleted)]);
    expect(readFileSync(join(dir, frozenList), 'utf8')).toContain('"ride.arrived.v1"');
  });
});
