import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  examinePart,
  installOnce,
  PartMissing,
  takePart,
  type PartSource,
} from '../../tools/stack/parts/part';
import { chromiumSource } from '../../tools/stack/parts/chromium';
import { kafkaSource } from '../../tools/stack/parts/kafka';
import { postgresSource } from '../../tools/stack/parts/postgres';
import { stripeMockSource } from '../../tools/stack/parts/stripeMock';
import { temporalSource } from '../../tools/stack/parts/temporal';
import { testServerSource } from '../../tools/stack/parts/testServer';
import { silent, type Say } from '../../tools/stack/say';
import { isAtLeast, versions } from '../../tools/stack/versions';

const dir = mkdtempSync(join(tmpdir(), 'hailway-parts-'));
chmodSync(dir, 0o755);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A machine with nothing but these programs, each saying so when asked for its version. */
function machine(name: string, programs: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv = {}) {
  const bin = join(dir, name, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const [program, says] of Object.entries(programs)) {
    writeFileSync(join(bin, program), `#!/bin/sh\necho '${says}'\n`);
    chmodSync(join(bin, program), 0o755);
  }
  const said: string[] = [];
  const say: Say = { ...silent, line: (text) => void said.push(text) };
  return {
    bin,
    said,
    search: { env: { PATH: bin, HOME: dir, XDG_CACHE_HOME: join(dir, name, 'cache'), ...env }, say },
  };
}

const missing = (part: Promise<unknown>): Promise<string> =>
  part.then(
    () => 'nothing is missing',
    (error: unknown) => (error instanceof PartMissing ? error.message : `not PartMissing: ${String(error)}`),
  );

describe('versions', () => {
  test.each([
    ['18.4', '16', true],
    ['16', '16', true],
    ['15.18', '16', false],
    ['1.29.1', '1.29.0', true],
    ['1.9.9', '1.29.0', false],
    ['4', '4.0', true],
  ])('%s is at least %s: %s', (version, least, expected) => {
    expect(isAtLeast(version, least)).toBe(expected);
  });
});

describe('the order of places', () => {
  const source = (looks: Readonly<Record<string, string | { reason: string; final?: boolean }>>) =>
    ({
      part: 'Thing',
      places: Object.entries(looks).map(([name, look]) => ({
        name,
        look: () => Promise.resolve(typeof look === 'string' ? { found: name, from: look } : look),
      })),
      remedies: ['install it', 'set THING'],
    }) satisfies PartSource<string>;

  test('the first that has it is taken, and said', async () => {
    const { search, said } = machine('order', {});
    const taken = await takePart(
      source({ THING: { reason: 'not set' }, 'the PATH': 'from the PATH', npm: 'from npm' }),
      search,
    );
    expect(taken).toBe('the PATH');
    expect(said).toEqual(['Thing: from the PATH']);
  });

  test('one that is too old is passed over aloud', async () => {
    const { search, said } = machine('order', {});
    await takePart(
      source({ 'the PATH': { reason: '/bin/thing is 1, too old (2 is needed)' }, npm: 'x' }),
      search,
    );
    expect(said).toEqual([
      'Thing: the PATH: /bin/thing is 1, too old (2 is needed); passed over',
      'Thing: x',
    ]);
  });

  test('when nobody has it, one message tells what was tried and what to do', async () => {
    const { search } = machine('order', {});
    const words = await missing(
      takePart(source({ THING: { reason: 'not set' }, npm: { reason: 'no npm' } }), search),
    );
    expect(words.split('\n')).toEqual([
      'Thing cannot be had.',
      '  tried THING: not set',
      '  tried npm: no npm',
      '  do install it',
      '  or set THING',
    ]);
  });

  test('a server that was named and does not answer is not replaced by another', async () => {
    const { search } = machine('order', {});
    const words = await missing(
      takePart(source({ THING: { reason: 'does not answer', final: true }, npm: 'from npm' }), search),
    );
    expect(words).toContain('THING: does not answer');
  });

  test('a place that fails is a place that was tried', async () => {
    const { search } = machine('order', {});
    const words = await missing(
      takePart(
        {
          part: 'Thing',
          remedies: [],
          places: [{ name: 'npm', look: () => Promise.reject(new Error('no network')) }],
        },
        search,
      ),
    );
    expect(words).toContain('tried npm: no network');
  });
});

describe('Postgres', () => {
  const there = { postgres: 'postgres (PostgreSQL) 17.2', initdb: 'initdb' };

  test('is taken from the PATH with initdb beside it', async () => {
    const { search, bin } = machine('pg17', there);
    expect(await takePart(postgresSource(search), search)).toEqual({ binaries: bin });
  });

  test.each([
    [
      'too old',
      { ...there, postgres: 'postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)' },
      'is 15.18, too old',
    ],
    ['without initdb', { postgres: there.postgres }, 'has no initdb beside it'],
    ['without a version', { ...there, postgres: 'what?' }, 'says no version'],
  ])('%s it is not', async (name, programs, reason) => {
    const { search } = machine(`pg ${name}`, programs);
    const source = postgresSource(search);
    const onPath = source.places.filter((place) => place.name === 'the PATH');
    expect(await missing(takePart({ ...source, places: onPath }, search))).toContain(reason);
  });

  test('of POSTGRES_URL that does not answer is the end', async () => {
    const { search } = machine('pg url', there, { POSTGRES_URL: 'postgres://a:secret@127.0.0.1:1/x' });
    const words = await missing(takePart(postgresSource(search), search));
    expect(words).toContain('POSTGRES_URL: the server there does not answer');
    expect(words).not.toContain('secret');
  });
});

describe('Chromium', () => {
  test.each([
    ['Debian’s', 'chromium', 'Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)'],
    ['Google’s', 'google-chrome', 'Google Chrome 140.0.7339.80'],
  ])('is taken from the PATH: %s', async (name, program, says) => {
    const { search, bin } = machine(`browser ${name}`, { [program]: says });
    expect(await takePart(chromiumSource(search), search)).toBe(join(bin, program));
  });

  test('that is too old, or no browser, is passed over', async () => {
    const { search } = machine('browser old', { chromium: 'Chromium 90.0.1', chrome: 'what?' });
    const onPath = chromiumSource(search).places.filter((place) => place.name === 'the PATH');
    const words = await missing(takePart({ ...chromiumSource(search), places: onPath }, search));
    expect(words).toContain('says no version of Chromium');
  });

  test('that HAILWAY_CHROMIUM names is the one or none', async () => {
    const there = { chromium: 'Chromium 156.0.8078.79' };
    const { search } = machine('browser named', there, { HAILWAY_CHROMIUM: '/nowhere/chromium' });
    const words = await missing(takePart(chromiumSource(search), search));
    expect(words).toContain('HAILWAY_CHROMIUM: /nowhere/chromium says no version of Chromium');
    expect(words).not.toContain('tried the PATH');
  });
});

describe('stripe-mock', () => {
  /** A Go that installs a program, and says where it keeps the sources of what it has built. */
  const fakeGo = (modules: string) => `#!/bin/sh
if [ "$1" = env ]; then echo '${modules}'; exit; fi
echo "$*" > "$GOBIN/asked"
printf '#!/bin/sh' > "$GOBIN/stripe-mock" && chmod +x "$GOBIN/stripe-mock"
`;
  const built = (name: string) => {
    const { bin, search } = machine(name, {});
    const modules = join(dir, name, 'modules');
    const { release } = versions.stripeMock;
    const sources = join(modules, `github.com/stripe/stripe-mock@v${release}`, 'embedded', 'openapi');
    mkdirSync(sources, { recursive: true });
    writeFileSync(join(sources, 'spec3.json'), '{}');
    writeFileSync(join(bin, 'go'), fakeGo(modules), { mode: 0o755 });
    return { ...search, env: { ...search.env, PATH: `${bin}:${process.env.PATH}` } };
  };

  test('is built once, with what it describes beside it', async () => {
    const search = built('mock');
    const folder = await takePart(stripeMockSource(search), search);
    expect(readdirSync(folder).sort()).toEqual(['asked', 'spec3.json', 'stripe-mock']);
    expect(readFileSync(join(folder, 'asked'), 'utf8')).toContain(
      `install -ldflags=-s -w github.com/stripe/stripe-mock@v${versions.stripeMock.release}`,
    );
    rmSync(join(dir, 'mock', 'bin', 'go'));
    expect(await takePart(stripeMockSource(search), search)).toBe(folder);
  });

  test('that HAILWAY_STRIPE_MOCK names is the one or none', async () => {
    const search = built('mock named');
    const env = { ...search.env, HAILWAY_STRIPE_MOCK: '/nowhere' };
    const words = await missing(takePart(stripeMockSource({ ...search, env }), search));
    expect(words).toContain('no stripe-mock in /nowhere');
    expect(words).not.toContain('tried Go');
  });
});

describe('on a machine with nothing', () => {
  test.each([
    ['Kafka', kafkaSource, ['KAFKA_BROKERS: not set', 'no java on the PATH', 'do set KAFKA_BROKERS']],
    ['Temporal', temporalSource, ['TEMPORAL_ADDRESS: not set', 'Go: no go on the PATH', 'or install Go']],
    [
      'Chromium',
      chromiumSource,
      ['HAILWAY_CHROMIUM: not set', 'npm: no npm on the PATH', 'do install Chromium'],
    ],
    ['the test server', testServerSource, ['HAILWAY_TEST_SERVER: not set', 'no java on the PATH']],
    [
      'stripe-mock',
      stripeMockSource,
      ['HAILWAY_STRIPE_MOCK: not set', 'Go: no go on the PATH', 'install Go'],
    ],
  ] as const)('%s cannot be had, and doctor says the same', async (_name, sourceOf, expected) => {
    const { search } = machine('bare', {});
    const words = await missing(takePart<unknown>(sourceOf(search), search));
    for (const part of expected) expect(words).toContain(part);
    expect(await examinePart(sourceOf(search))).toEqual({ there: false, words });
  });

  test('with Go, Maven and npm, doctor tells what a start would do, and does not do it', async () => {
    const programs = { go: '', mvn: '', npm: '', tar: '', java: 'openjdk version "21.0.1"' };
    const { search } = machine('tools', programs);
    const sources = [kafkaSource, temporalSource, testServerSource, chromiumSource, stripeMockSource];
    for (const source of sources.map((sourceOf) => sourceOf(search))) {
      expect(await examinePart(source)).toMatchObject({
        there: true,
        words: expect.stringContaining('not there yet'),
      });
    }
    expect(existsSync(search.env.XDG_CACHE_HOME)).toBe(false);
  });

  test('a Java that is too old counts for nothing', async () => {
    const { search } = machine('java11', { java: 'openjdk version "11.0.2"', mvn: '' });
    expect((await examinePart(kafkaSource(search))).words).toContain('is 11.0.2, and 17 is needed');
  });
});

describe('an installation', () => {
  const cache = join(dir, 'install');
  const write = (name: string) => (folder: string) => {
    writeFileSync(join(folder, name), 'x');
    return Promise.resolve();
  };

  test('is made once', async () => {
    const folder = await installOnce(cache, 'thing-1', write('a'));
    await installOnce(cache, 'thing-1', () => Promise.reject(new Error('a second time')));
    expect(readdirSync(folder)).toEqual(['a']);
    expect(dirname(folder)).toBe(cache);
  });

  test('that fails half way leaves nothing', async () => {
    const failing = installOnce(cache, 'thing-2', async (folder) => {
      await write('a')(folder);
      throw new Error('the network went');
    });
    await expect(failing).rejects.toThrow('the network went');
    expect(readdirSync(cache)).toEqual(['thing-1']);
  });

  test('that was killed is not taken for one', async () => {
    mkdirSync(join(cache, '.thing-3-abcd'));
    const folder = await installOnce(cache, 'thing-3', write('b'));
    expect(readdirSync(folder)).toEqual(['b']);
  });

  test('by two at once is one', async () => {
    const both = await Promise.all([1, 2].map(() => installOnce(cache, 'thing-4', write('a'))));
    expect(new Set(both).size).toBe(1);
    expect(readdirSync(cache).filter((name) => name.includes('thing-4'))).toEqual(['thing-4']);
  });
});
