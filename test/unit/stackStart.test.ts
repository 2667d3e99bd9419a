import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createVerifier } from '../../platform/auth';
import { environmentFor } from '../../tools/stack/environment';
import { hasIssuer, openIssuer, openSecrets } from '../../tools/stack/issuer';
import { DataDirLocked, lockDataDir, stackHolder } from '../../tools/stack/lock';
import { UsageError } from '../../tools/commandLine';
import { parseStartOptions } from '../../tools/stack/options';
import { projectRoot } from '../../tools/stack/places';
import { checkPorts, freePort, freePorts, portsFrom, PortTaken } from '../../tools/stack/ports';
import { processes } from '../../tools/stack/processes';
import { createSay } from '../../tools/stack/say';
import { startTimeOf } from '../../tools/stack/servers/daemon';

let dataDir: string;
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'hailway-start-'))));
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

describe('ports', () => {
  let other: Server | undefined;
  afterEach(() => other?.close());

  test('that are free are given once, though nobody listens on them yet', async () => {
    const given: number[] = [];
    for (let n = 0; n < 500; n++) given.push(await freePort());
    expect(new Set(given).size).toBe(500);
  });

  test('one that is taken is named with the variable that moves it', async () => {
    const ports = await freePorts();
    other = createServer().listen(ports['sandbox-psp'], '127.0.0.1');
    await new Promise((resolve) => other?.once('listening', resolve));
    const checking = checkPorts(ports, ['gateway', 'sandbox-psp', 'kafka']);
    await expect(checking).rejects.toThrow(PortTaken);
    await expect(checking).rejects.toThrow(
      `port ${ports['sandbox-psp']} (sandbox-psp) is taken by another program: set HAILWAY_SANDBOX_PSP_PORT to a free one`,
    );
    // What is not asked about is not looked at: a server that is somebody else's listens there, of course.
    await checkPorts(ports, ['gateway', 'kafka']);
  });

  test('one given to two is named too', async () => {
    const ports = { ...(await freePorts()) };
    ports.kafka = ports.postgres;
    await expect(checkPorts(ports, ['postgres', 'kafka'])).rejects.toThrow(
      /\(kafka\) is given to postgres too/,
    );
  });

  test('come from the environment, or are the documented ones', () => {
    const ports = portsFrom({ HAILWAY_KAFKA_PORT: '1234' });
    expect(ports).toMatchObject({
      kafka: 1234,
      postgres: 5433,
      temporal: 7243,
      'temporal-ui': 8243,
      gateway: 8080,
    });
    expect(() => portsFrom({ HAILWAY_RELAY_PORT: '99999' })).toThrow(
      'HAILWAY_RELAY_PORT takes a port number',
    );
  });
});

const forKeyHolders = ['KEYS_DATABASE_URL', 'PERSONAL_KEYS'];
const variables = ['KAFKA_BROKERS', 'POSTGRES_URL', ...forKeyHolders].flatMap((name) => [
  name,
  `${name}_FILE`,
]);

test.each(processes)('$name gets the keys of people if it opens what is personal', ({ name, entry }) => {
  const all = Object.fromEntries(variables.map((variable) => [variable, 'given']));
  const main = readFileSync(join(projectRoot(), entry.replace(/\.js$/, '.ts')), 'utf8');
  const isHolder = main.includes('openVault(');
  const its = variables.filter(
    (variable) =>
      !variable.startsWith('POSTGRES_URL') &&
      (isHolder || !forKeyHolders.some((key) => variable.startsWith(key))),
  );
  expect(Object.keys(environmentFor(name, all))).toEqual(its);
});

describe('a data directory', () => {
  test('is for one at a time', () => {
    const unlock = lockDataDir(dataDir);
    expect(stackHolder(dataDir)).toBe(process.pid);
    expect(() => lockDataDir(dataDir)).toThrow(DataDirLocked);
    unlock();
    expect(stackHolder(dataDir)).toBeUndefined();
    lockDataDir(dataDir)();
  });

  test('is taken over from a process that is gone', () => {
    writeFileSync(join(dataDir, 'lock'), JSON.stringify({ pid: process.pid, startedAt: 'long ago' }));
    lockDataDir(dataDir);
    expect(JSON.parse(readFileSync(join(dataDir, 'lock'), 'utf8'))).toMatchObject({
      startedAt: startTimeOf(process.pid),
    });
  });
});

describe('the command line of npm start', () => {
  const parse = (...argv: string[]) => parseStartOptions(argv, {});

  test('without options is a city without end', () => {
    expect(parse()).toMatchObject({ city: true, json: false, rides: undefined });
  });

  test('takes what is documented', () => {
    const options = [
      '--rides',
      '25',
      '--json',
      '--drivers=9',
      '--speed',
      '2.5',
      '--seed',
      'x',
      '--data-dir',
      'd',
    ];
    expect(parse(...options)).toMatchObject({ rides: 25, json: true, drivers: 9, speed: 2.5, seed: 'x' });
    expect(parse('--no-city')).toMatchObject({ city: false, speed: 1 });
    expect(parse('--help')).toBe('help');
  });

  test.each([
    [['--bogus'], "Unknown option '--bogus'"],
    [['25'], "Unexpected argument '25'"],
    [['--rides'], '--rides'],
    [['--rides', '0'], '--rides takes a whole number from 1'],
    [['--rides', '1.5'], 'not "1.5"'],
    [['--rides', '-3'], '--rides'],
    [['--drivers', 'many'], '--drivers takes'],
    [['--speed', '0'], '--speed takes a number from 0.001 to 10000, not "0"'],
    [['--speed', '1e3'], '--speed takes'],
    [['--seed', ''], '--seed takes'],
    [['--pickups', '/nowhere.csv'], 'there is no file /nowhere.csv'],
    [['--data-dir', __filename], 'is no folder'],
    [['--json'], '--json goes with --rides N'],
    [['--no-city', '--rides', '3'], '--rides is about the city'],
  ])('%j is refused in one line', (argv, words) => {
    const refused = () => parse(...argv);
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(words);
    expect(refused).toThrow(/^[^\n]*$/);
  });
});

test('progress is a line now and then where there is no terminal', async () => {
  jest.useFakeTimers();
  const lines: string[] = [];
  const out = { write: (text: string) => lines.push(text) } as unknown as NodeJS.WriteStream;
  const say = createSay(out);
  const work = say.during('Temporal: building', () => new Promise((resolve) => setTimeout(resolve, 25_000)));
  const short = say.during('Kafka: looking', () => new Promise((resolve) => setTimeout(resolve, 1_000)));
  await jest.advanceTimersByTimeAsync(26_000);
  await Promise.all([work, short]);
  jest.useRealTimers();
  expect(lines).toEqual([
    'Temporal: building … 2 s\n',
    'Temporal: building … 12 s\n',
    'Temporal: building … 22 s\n',
  ]);
});

describe('the embedded issuer', () => {
  test('mints tokens that the verifiers take, with the same keys after every start', async () => {
    expect(hasIssuer(dataDir)).toBe(false);
    const first = await openIssuer(dataDir);
    const token = await first.mintToken({ role: 'rider', sub: 'rider-1' });
    const again = await openIssuer(dataDir);
    const verify = createVerifier({ jwks: again.jwksPath, issuer: 'hailway-local', audience: 'hailway' });
    expect(await verify(token)).toEqual({ sub: 'rider-1', role: 'rider' });
    expect(hasIssuer(dataDir)).toBe(true);
    await expect(verify(await again.mintToken({ role: 'rider', sub: 'x', ttlSeconds: -60 }))).rejects.toThrow(
      'expired',
    );
  });

  test('publishes no private key', async () => {
    const { jwksPath } = await openIssuer(dataDir);
    const { keys } = JSON.parse(readFileSync(jwksPath, 'utf8')) as { keys: object[] };
    expect(keys).toHaveLength(1);
    expect(Object.keys(keys[0]!)).not.toContain('d');
  });

  test('keeps secrets, another for each name and each data directory', async () => {
    const secrets = await openSecrets(dataDir);
    expect(secrets.of('quote')).toHaveLength(40);
    expect((await openSecrets(dataDir)).of('quote')).toBe(secrets.of('quote'));
    expect(secrets.of('ride-code')).not.toBe(secrets.of('quote'));
    expect((await openSecrets(join(dataDir, 'other'))).of('quote')).not.toBe(secrets.of('quote'));
  });
});
