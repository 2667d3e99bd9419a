import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConfigError,
  configSchema,
  isSet,
  loadConfig,
  portVariable,
  processPorts,
} from '../../platform/config';

describe('loadConfig', () => {
  it('has a default for everything', () => {
    const config = loadConfig({});
    expect(config.HAILWAY_GATEWAY_PORT).toBe(8080);
    expect(config.KAFKA_BROKERS).toEqual(['127.0.0.1:9192']);
    expect(config.RIDES_DATABASE_URL).toBe('postgres://rides:rides@127.0.0.1:5433/rides');
  });

  it('says of every variable what it takes', () => {
    for (const schema of Object.values(configSchema.shape)) expect(schema.meta()?.description).toBeTruthy();
  });

  it('has a port variable for every process', () => {
    const config = loadConfig({}) as unknown as Record<string, unknown>;
    for (const [name, port] of Object.entries(processPorts)) {
      expect(config[portVariable(name as keyof typeof processPorts)]).toBe(port);
    }
    expect(portVariable('sandbox-psp')).toBe('HAILWAY_SANDBOX_PSP_PORT');
  });

  it.each([
    ['HAILWAY_GATEWAY_PORT', '80a', 'a port number from 1 to 65535, not "80a"'],
    ['HAILWAY_GATEWAY_PORT', '70000', 'a port number from 1 to 65535, not "70000"'],
    ['HAILWAY_SPEED', '0', 'a number from 0.001 to 10000 (1 is real time), not "0"'],
    ['LOG_LEVEL', 'loud', 'one of trace, debug, info, warn, error, fatal, silent, not "loud"'],
    ['KAFKA_BROKERS', 'localhost', 'a comma-separated list of host:port, not "localhost"'],
    [
      'KAFKA_REPLICATION_FACTOR',
      '0',
      'how many brokers keep each record, from 1 to 9; all but one of them must have it before it counts, not "0"',
    ],
    ['TEMPORAL_ADDRESS', 'http://x:1', 'host:port, not "http://x:1"'],
    ['PRICING_URL', 'ftp://x', 'an http or https URL'],
  ])('names %s when it is %s', (name, value, takes) => {
    expect(() => loadConfig({ [name]: value })).toThrow(new ConfigError(`${name} takes ${takes}`));
  });

  it('names all that are wrong in one line, and repeats no secret', () => {
    const env = { RIDES_DATABASE_URL: 'mysql://rides:hunter2@x/rides', HAILWAY_RELAY_PORT: '' + -1 };
    const error = thrownBy(() => loadConfig(env));
    expect(error.message).toContain('RIDES_DATABASE_URL takes a Postgres URL');
    expect(error.message).toContain('HAILWAY_RELAY_PORT takes a port number');
    expect(error.message).not.toContain('hunter2');
    expect(error.message).not.toContain('\n');
  });

  it('takes a secret from a file', () => {
    const dir = mkdtempSync(join(tmpdir(), 'hailway-config-'));
    writeFileSync(join(dir, 'token'), 'abc\n');
    const config = loadConfig({ HAILWAY_SERVICE_TOKEN_FILE: join(dir, 'token') });
    expect(config.HAILWAY_SERVICE_TOKEN).toBe('abc');
    expect(() => loadConfig({ HAILWAY_SERVICE_TOKEN_FILE: join(dir, 'none') })).toThrow(
      /^HAILWAY_SERVICE_TOKEN_FILE takes a file that can be read$/,
    );
    rmSync(dir, { recursive: true });
  });

  it('looks only at the names it is given', () => {
    expect(loadConfig({ LOG_LEVEL: 'loud' }, ['HAILWAY_SPEED'])).toEqual({ HAILWAY_SPEED: 1 });
  });

  it('takes an empty variable for one that is not set, except where empty means something', () => {
    expect(loadConfig({ HAILWAY_SPEED: '' }).HAILWAY_SPEED).toBe(1);
    expect(loadConfig({ STRIPE_API_BASE: '' }).STRIPE_API_BASE).toBe('');
    expect(isSet({ POSTGRES_URL: '' }, 'POSTGRES_URL')).toBe(false);
    expect(isSet({ POSTGRES_URL: 'postgres://x' }, 'POSTGRES_URL')).toBe(true);
  });
});

function thrownBy(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
