import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromiumSource } from '../../tools/stack/parts/chromium';
import { kafkaSource } from '../../tools/stack/parts/kafka';
import { examinePart, takePart } from '../../tools/stack/parts/part';
import { postgresSource } from '../../tools/stack/parts/postgres';
import { stripeMockSource } from '../../tools/stack/parts/stripeMock';
import { temporalSource } from '../../tools/stack/parts/temporal';
import { testServerSource } from '../../tools/stack/parts/testServer';
import { versions } from '../../tools/stack/versions';
import { bareMachine, missing, partsFolder } from '../support/bareMachine';

/** Where each part of the stack comes from, on machines that have it and on machines that do not. */

const dir = partsFolder();
const machine = (name: string, programs: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv = {}) =>
  bareMachine(dir, name, programs, env);

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
