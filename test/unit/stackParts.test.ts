import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installOnce, takePart, type PartSource } from '../../tools/stack/parts/part';
import { isAtLeast } from '../../tools/stack/versions';
import { bareMachine, missing, partsFolder } from '../support/bareMachine';

const dir = partsFolder();

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
    const { search, said } = bareMachine(dir, 'order', {});
    const taken = await takePart(
      source({ THING: { reason: 'not set' }, 'the PATH': 'from the PATH', npm: 'from npm' }),
      search,
    );
    expect(taken).toBe('the PATH');
    expect(said).toEqual(['Thing: from the PATH']);
  });

  test('one that is too old is passed over aloud', async () => {
    const { search, said } = bareMachine(dir, 'order', {});
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
    const { search } = bareMachine(dir, 'order', {});
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
    const { search } = bareMachine(dir, 'order', {});
    const words = await missing(
      takePart(source({ THING: { reason: 'does not answer', final: true }, npm: 'from npm' }), search),
    );
    expect(words).toContain('THING: does not answer');
  });

  test('a place that fails is a place that was tried', async () => {
    const { search } = bareMachine(dir, 'order', {});
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
