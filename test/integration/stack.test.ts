import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { createKafka, createFactProducer, readTopicRaw } from '../../platform/kafka';
import { createPool } from '../../platform/postgres';
import { projectRoot } from '../../tools/stack/places';
import { freePorts, portNames, portVariables, type Ports } from '../../tools/stack/ports';
import { leftOver, rememberedNames, startTimeOf } from '../../tools/stack/servers/daemon';
import { eventually, quiet } from '../support/backbone';
import { newDataDir, startWholeStack } from '../support/wholeStack';

/** `npm start` as a user has it, in a process of its own. */
interface Started {
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | null>;
}

const started: Started[] = [];
afterEach(() => started.splice(0).forEach(({ process }) => process.kill('SIGKILL')));

const startCommand = [join(projectRoot(), 'tools', 'stack', 'start.mjs'), '--no-city'];

function npmStart(dataDir: string, ports: Ports, extra: NodeJS.ProcessEnv = {}): Started {
  const env: NodeJS.ProcessEnv = { ...process.env, ...extra };
  for (const name of ['POSTGRES_URL', 'KAFKA_BROKERS', 'TEMPORAL_ADDRESS']) delete env[name];
  for (const name of portNames) env[portVariables[name]] = String(ports[name]);
  const child = spawn(process.execPath, [...startCommand, '--data-dir', dataDir], { env });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  const one = { process: child, output: () => output, exit };
  started.push(one);
  return one;
}

const untilUp = (stack: Started): Promise<string> =>
  eventually(
    stack.output,
    (text) => {
      if (stack.process.exitCode !== null) throw new Error(`ended before it was up:\n${text}`);
      return text.includes('Hailway is up');
    },
    90_000,
  );

const pidsOf = (dataDir: string): number[] =>
  rememberedNames(dataDir).flatMap((name) => leftOver(dataDir, name) ?? []);

/** Something in each server, and whether it is still there. */
function marks(ports: Ports) {
  const kafka = createKafka({ brokers: [`127.0.0.1:${ports.kafka}`], clientId: 'test', log: quiet });
  const url = `postgres://rides:rides@127.0.0.1:${ports.postgres}/rides`;
  const withTemporal = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    const connection = await Connection.connect({ address: `127.0.0.1:${ports.temporal}` });
    return work(new Client({ connection })).finally(() => connection.close());
  };
  return {
    async leave(): Promise<void> {
      const pool = createPool(url, { applicationName: 'test', max: 1 });
      await pool.query('create table mark (word text)');
      await pool.query(`insert into mark values ('still here')`);
      await pool.end();
      const producer = createFactProducer(kafka, { log: quiet });
      await producer.send([{ topic: 'pricing', key: 'mark', value: '{}', headers: { ce_type: 'mark' } }]);
      await producer.disconnect();
      await withTemporal((client) =>
        client.workflow.start('mark', { workflowId: 'mark', taskQueue: 'nobody', args: [] }),
      );
    },
    async find(): Promise<string[]> {
      const found: string[] = [];
      const pool = createPool(url, { applicationName: 'test', max: 1 });
      const { rows } = await pool.query<{ word: string }>('select word from mark');
      if (rows[0]?.word === 'still here') found.push('postgres');
      await pool.end();
      const onRecord = ({ key }: { key: Buffer | null }) =>
        void (String(key) === 'mark' && found.push('kafka'));
      await readTopicRaw({ kafka, topic: 'pricing', onRecord });
      const { status } = await withTemporal((client) => client.workflow.getHandle('mark').describe());
      if (status.name === 'RUNNING') found.push('temporal');
      return found;
    },
  };
}

test('a stack whose whole tree was killed starts again with its data, and Ctrl-C leaves no process', async () => {
  const [dataDir, ports] = [newDataDir(), await freePorts()];
  const { leave, find } = marks(ports);
  const first = npmStart(dataDir, ports);
  await untilUp(first);
  await leave();
  const before = pidsOf(dataDir);
  expect(before.length).toBe(15);
  for (const pid of [first.process.pid!, ...before]) process.kill(pid, 'SIGKILL');
  await first.exit;

  const second = npmStart(dataDir, ports);
  await untilUp(second);
  expect(await find()).toEqual(['postgres', 'kafka', 'temporal']);
  const after = pidsOf(dataDir);
  second.process.kill('SIGINT');
  expect(await second.exit).toBe(0);
  expect(after.filter((pid) => startTimeOf(pid) !== undefined)).toEqual([]);
  expect(rememberedNames(dataDir)).toEqual([]);
}, 240_000);

test('a stack whose starter alone was killed is taken over; a second Ctrl-C ends it at once', async () => {
  const [dataDir, ports] = [newDataDir(), await freePorts()];
  const first = npmStart(dataDir, ports);
  await untilUp(first);
  const servers = pidsOf(dataDir);
  const refused = npmStart(dataDir, await freePorts());
  expect(await refused.exit).toBe(1);
  expect(refused.output()).toContain(`in use by another start (process ${first.process.pid})`);

  first.process.kill('SIGKILL');
  await first.exit;
  const second = npmStart(dataDir, ports);
  await untilUp(second);
  expect(servers.filter((pid) => startTimeOf(pid) !== undefined)).toEqual([]);

  const after = pidsOf(dataDir);
  second.process.kill('SIGINT');
  await eventually(second.output, (text) => text.includes('Once more for at once'));
  second.process.kill('SIGINT');
  expect(await second.exit).toBe(130);
  await eventually(
    () => after.filter((pid) => startTimeOf(pid) !== undefined).length,
    (left) => left === 0,
  );
}, 240_000);

test('a server that is killed comes back, and the processes with it', async () => {
  const stack = await startWholeStack();
  try {
    for (const name of ['postgres', 'kafka', 'temporal'] as const) {
      const server = stack.server(name)!;
      const pid = server.pid();
      server.kill();
      await eventually(server.pid, (now) => now !== undefined && now !== pid);
      await server.untilReady();
    }
    await stack.process('gateway').hold();
    await stack.process('gateway').release();
    const ready = async () => (await fetch(`${stack.apiUrl}/readyz`)).status;
    await eventually(ready, (status) => status === 200);
  } finally {
    await stack.stop();
  }
}, 240_000);
