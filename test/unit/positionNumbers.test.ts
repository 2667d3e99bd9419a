import { HEADER_WORDS, readPositionRecord, row, sequenceOf } from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import { doorsForFile, good, nowMs } from '../support/positionDoors';

/** Numbers as a client may write them into a body, which `JSON.stringify` would not. */

const doors = doorsForFile();

describe.each([
  ['a driver', '/v1/drivers/me/positions', 'driver.d1', {}],
  ['a fleet', '/v1/fleet/positions', 'fleet.fleet', { driverId: 'f1' }],
])('at the door of %s', (_whose, path, token, id) => {
  const asTexts = (values: object) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)]));
  /** A body of good positions, but for these fields' values, as they stand in it. */
  const bodyOf = (...items: Record<string, string>[]): string => {
    const item = (texts: Record<string, string>): string =>
      Object.entries({ ...asTexts({ ...good, ...id }), ...texts })
        .map(([name, text]) => `"${name}":${text}`)
        .join();
    return `{"positions":[${items.map((texts) => `{${item(texts)}}`).join()}]}`;
  };
  const secondHas = (field: string, text: string) => bodyOf({}, { [field]: text }, { sequence: '6' });

  test.each(['NaN', '-NaN', 'Infinity', '-Infinity', '+40.7', '.7', '0x28', '040.7'])(
    'a body with %s is no JSON: refused as a whole, with or without the flag',
    async (text) => {
      const { post, taken } = await doors();
      for (const field of ['lat', 'lng', 'sequence'] as const)
        for (const query of ['', '?partial=true']) {
          const answer = await post(path + query, token, secondHas(field, text));
          expect(answer).toMatchObject({ status: 400, body: { code: 'malformed_json' } });
        }
      expect(taken).toEqual([]);
    },
  );

  test.each([
    ['lat', '1e400', 'a number from -90 to 90'],
    ['lat', '-1e400', 'a number from -90 to 90'],
    ['lat', '"40.7"', 'a number from -90 to 90'],
    ['lat', '"NaN"', 'a number from -90 to 90'],
    ['lng', '1e400', 'a number from -180 to 180'],
    ['lng', '"-73.9"', 'a number from -180 to 180'],
    ['sequence', '1e400', 'a whole number, 0 or more'],
    ['sequence', '9007199254740993', 'a whole number, 0 or more'],
    ['sequence', '"5"', 'a whole number, 0 or more'],
  ] as const)('a %s of %s is refused with its index', async (field, text, detail) => {
    const { post, taken } = await doors();
    const body = secondHas(field, text);
    const all = await post(path, token, body);
    expect(all).toMatchObject({ status: 400, body: { code: 'validation_failed', index: 1 } });
    expect(all.body.errors).toEqual([{ in: 'body', index: 1, pointer: `/positions/1/${field}`, detail }]);
    expect(taken).toEqual([]);
    const rest = await post(`${path}?partial=true`, token, body);
    expect(rest).toMatchObject({ status: 202, body: { taken: 2, refused: 1, errors: all.body.errors } });
    expect(taken.map(({ sequence }) => sequence)).toEqual([5, 6]);
  });

  test.each([
    ['-0', 0],
    ['1e-400', 0],
    ['7.0e0', 7],
  ])('%s is a number like others', async (text, meant) => {
    const { post, taken } = await doors();
    const body = bodyOf({ lat: text, lng: text, sequence: text });
    expect((await post(path, token, body)).status).toBe(202);
    const writer = new PositionWriter(nowMs);
    for (const position of taken) writer.add(position);
    const { count, words } = readPositionRecord(writer.finish());
    const [lat, lng] = [words[HEADER_WORDS + row.lat], words[HEADER_WORDS + row.lng]];
    expect([count, lat, lng, sequenceOf(words, HEADER_WORDS)]).toEqual([1, meant * 1e7, meant * 1e7, meant]);
  });
});
