import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { askOn, runFact } from '../../tools/cli/fact';
import { UsageError } from '../../tools/commandLine';

/** `npx hailway fact`, on a copy of the contracts. */
const root = resolve(__dirname, '../..');
const copy = mkdtempSync(join(tmpdir(), 'hailway-fact-'));
beforeAll(() => {
  for (const part of ['contracts', 'domain', 'package.json', '.prettierrc.json'])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rmSync(copy, { recursive: true }));

const text = (path: string): string => readFileSync(join(copy, 'contracts', path), 'utf8');
const json = (path: string): unknown => JSON.parse(text(path));

async function run(argv: readonly string[], answers?: string[]): Promise<{ code: number; said: string }> {
  const lines: string[] = [];
  const ask = async (question: string): Promise<string> => {
    lines.push(question);
    return answers?.shift() ?? '';
  };
  const code = await runFact(argv, {
    ...{ root: copy, ask: answers === undefined ? null : ask },
    tell: (line) => void lines.push(line),
  });
  return { code, said: lines.join('\n') };
}

/** What the copy's contracts are, with the compiler and the check's own eyes. */
function judged(): { types: string; frozen: string[]; read: unknown } {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const project = ['--noEmit', '--skipLibCheck', '--strict', '--target', 'es2022', '--module', 'nodenext'];
  const sources = ['contracts/knownFact.ts', 'contracts/writtenFact.ts'].map((file) => join(copy, file));
  let types = '';
  try {
    execFileSync(process.execPath, [tsc, ...project, '--types', 'node', ...sources], {
      cwd: copy,
      encoding: 'utf8',
    });
  } catch (error) {
    types = String((error as { stdout: string }).stdout);
  }
  const script = `
    const { catalogue } = require(${JSON.stringify(join(copy, 'contracts/catalogue.ts'))});
    const { knownFact } = require(${JSON.stringify(join(copy, 'contracts/knownFact.ts'))});
    const { checkPublished } = require(${JSON.stringify(join(root, 'tools/generate/published.ts'))});
    const frozen = checkPublished(catalogue, ${JSON.stringify(join(copy, 'contracts/published'))}, { create: false });
    const read = knownFact({ type: 'driver.registered', dataschema: 'driver.registered.v1',
      data: { driverId: 'd', name: 'Ada', plate: 'T-1', product: 'xl' } });
    console.log(JSON.stringify({ frozen, read }));`;
  const loader = join(root, 'test/support/typescript.cjs');
  const out = execFileSync(process.execPath, ['-r', loader, '-e', script], { cwd: root, encoding: 'utf8' });
  return { types, ...(JSON.parse(out) as { frozen: string[]; read: unknown }) };
}

test('says what it would do, and does nothing', async () => {
  const before = text('facts/drivers.ts');
  const { said } = await run([
    'new',
    'driver.blocked',
    '--says',
    'No more.',
    '--field',
    'driverId:subjectId',
    '--dry-run',
  ]);
  expect(said).toContain('changes contracts/facts/drivers.ts');
  expect(said).toContain(`+   'driver.blocked': z.object({ driverId: subjectId }).describe('No more.'),`);
  expect(said).toContain('adds contracts/published/driver.blocked.v1.json');
  expect(text('facts/drivers.ts')).toBe(before);
  expect(readdirSync(join(copy, 'contracts/published'))).not.toContain('driver.blocked.v1.json');
});

test.each([
  [['new', 'driver.blocked'], 'say what has happened'],
  [['new', 'Blocked', '--says', 'x'], 'family.what_has_happened'],
  [['new', 'car.blocked', '--says', 'x'], 'there is no family car'],
  [['new', 'driver.went_online', '--says', 'x'], 'fact evolve driver.went_online'],
  [['new', 'driver.blocked', '--says', 'x', '--field', 'why:prose'], '"prose" is no KIND'],
  [['new', 'driver.blocked', '--says', 'x', '--field', 'why'], 'a field is name:KIND'],
  [['evolve', 'driver.vanished'], 'there is no fact "driver.vanished"'],
  [['evolve', 'driver.registered'], 'what changes?'],
  [['evolve', 'driver.registered', '--remove', 'colour'], 'has no field colour'],
  [['evolve', 'driver.registered', '--add', 'name:text=1'], 'has name already'],
  [['evolve', 'driver.registered', '--add', 'seats:int'], 'what do facts of version 1 have for seats?'],
  [['evolve', 'driver.registered', '--remove', 'name'], 'say in a sentence what the new version changes'],
  [['evolve', 'driver.registered', '--changed', 'x', '--add', 'seats:int="four"'], 'does not fit'],
  [
    ['evolve', 'driver.registered', '--changed', 'x', '--add', 'seats:int=data.'],
    'says nothing of the earlier data',
  ],
  [['forget', 'driver.registered'], 'fact takes new or evolve'],
])('refuses %j', async (argv, why) => {
  const refused = run(argv);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(why);
});

test('hears answers that come before their questions, and an end that comes before an answer', async () => {
  const input = new PassThrough();
  const { ask, close } = askOn(input, new PassThrough());
  input.end('ride.waiting_started \nThe rider is late.\n');
  expect([await ask('What? '), await ask('Says? ')]).toEqual(['ride.waiting_started', 'The rider is late.']);
  await expect(ask('Fields? ')).rejects.toThrow('nobody answers any more');
  close();
});

test('introduces and changes facts, on the command line and by asking, so that all of it is true', async () => {
  const answers = [
    ...['driver.went_online', 'driver.blocked', 'An operator lets a driver drive no more.'],
    ...['driverId:subjectId', 'nonsense', 'reason:fraud|complaints', 'until?:time', '', 'yes'],
  ];
  const { said } = await run(['new'], answers);
  expect(said).toContain('driver.went_online is there');
  expect(said).toContain('a field is name:KIND');
  expect(said).toContain('driver.blocked is read by audit from now on');
  expect(json('examples/driver.blocked.v1.json')).toEqual({
    driverId: 'driver-77',
    reason: 'fraud',
    until: expect.any(String),
  });
  expect(json('published/driver.blocked.v1.json')).toMatchObject({ required: ['driverId', 'reason'] });

  const optional = await run(['evolve', 'driver.went_online', '--add', 'from?:point']);
  expect(optional.said).toContain(
    'Version 1 of driver.went_online only gains optional fields: no new version is needed.',
  );
  expect(text('facts/drivers.ts')).toContain('from: point.optional()');

  expect(
    await run(['evolve', 'driver.registered', '--remove', 'plate', '--changed', 'x'], ['', 'no']),
  ).toMatchObject({ code: 1 });
  const changes = [
    'driver.registered',
    '- plate',
    '+ seats:int=data.product === "xl" ? 6 : 4',
    '~ name:text[]=[data.name]',
    '',
  ];
  const evolved = await run(['evolve'], [...changes, 'seats; every name; no plate', 'yes']);
  expect(evolved.said).toContain(
    'This is version 2 of driver.registered, since it could break readers of version 1:',
  );
  expect(evolved.said).toContain('plate: field removed (was string, is nothing)');
  expect(json('examples/driver.registered.v2.json')).toMatchObject({ name: ['Ada'], seats: 4 });
  expect(json('examples/driver.registered.v2.json')).not.toHaveProperty('plate');
});

test('makes a third version of a second one, whose predecessor leads to it', async () => {
  const argv = [
    'evolve',
    'quote.issued',
    '--change',
    'surge:text=String(data.surge)',
    '--changed',
    'surge is a text',
  ];
  expect((await run(argv)).said).toContain('surge: type changed (was number, is string)');
  expect(text('facts/earlier/quoteIssuedV1.ts')).toContain('next: quoteIssuedV2.schema');
  expect(text('facts/earlier/index.ts')).toContain(`'quote.issued': [quoteIssuedV1, quoteIssuedV2]`);

  // What both have written compiles, is frozen as it is in the code, and reads what was stored before.
  expect(judged()).toEqual({
    types: '',
    frozen: [],
    read: { type: 'driver.registered', data: { driverId: 'd', name: ['Ada'], product: 'xl', seats: 6 } },
  });
}, 120_000);
