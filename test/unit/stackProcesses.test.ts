import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepRunning, type Kept } from '../../tools/stack/keep';
import { silent } from '../../tools/stack/say';
import { endOfLog, leftOver, startDaemon, startTimeOf, stopLeftOver } from '../../tools/stack/servers/daemon';
import { eventually } from '../support/backbone';

let dataDir: string;
const pids: number[] = [];
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'hailway-processes-'))));
afterEach(() => {
  for (const pid of pids.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already, as it should be.
    }
  }
  rmSync(dataDir, { recursive: true, force: true });
});

const node = (script: string) => ({ command: process.execPath, args: ['-e', script] });
const sleeper = 'setInterval(() => {}, 1000)';

describe('a process of an earlier start', () => {
  const start = async (script = sleeper) => {
    const daemon = await startDaemon({ name: 'thing', dataDir, ...node(script) });
    pids.push(daemon.pid);
    return daemon;
  };

  test('is found again and ended', async () => {
    const { pid } = await start();
    expect(leftOver(dataDir, 'thing')).toBe(pid);
    expect(await stopLeftOver(dataDir, 'thing', { signal: 'SIGTERM', deadlineMs: 5_000 })).toBe(true);
    expect(startTimeOf(pid)).toBeUndefined();
    expect(leftOver(dataDir, 'thing')).toBeUndefined();
  });

  test('that does not listen is killed past the deadline', async () => {
    const { pid } = await start(`process.on('SIGTERM', () => {}); console.log('deaf'); ${sleeper}`);
    await eventually(async () => (await endOfLog(dataDir, 'thing')).includes('deaf'), Boolean);
    await stopLeftOver(dataDir, 'thing', { signal: 'SIGTERM', deadlineMs: 200 });
    expect(startTimeOf(pid)).toBeUndefined();
  });

  test('is no stranger who got its number meanwhile', async () => {
    const stranger = spawn(process.execPath, ['-e', sleeper], { stdio: 'ignore' });
    pids.push(stranger.pid!);
    mkdirSync(join(dataDir, 'run'));
    const record = JSON.stringify({ pid: stranger.pid, startedAt: '1' });
    writeFileSync(join(dataDir, 'run', 'thing.json'), record);
    expect(leftOver(dataDir, 'thing')).toBeUndefined();
    expect(await stopLeftOver(dataDir, 'thing', { signal: 'SIGKILL', deadlineMs: 0 })).toBe(false);
    expect(startTimeOf(stranger.pid!)).toBeDefined();
    expect(existsSync(join(dataDir, 'run', 'thing.json'))).toBe(false);
  });

  test.each(['', 'not json', '{"pid":-1,"startedAt":"1"}', '{"pid":1,"startedAt":"1"}', '{}'])(
    'is not made of a pid file with %j',
    async (text) => {
      mkdirSync(join(dataDir, 'run'));
      writeFileSync(join(dataDir, 'run', 'thing.json'), text);
      expect(leftOver(dataDir, 'thing')).toBeUndefined();
      await stopLeftOver(dataDir, 'thing', { signal: 'SIGKILL', deadlineMs: 0 });
    },
  );

  test('that ended by itself is forgotten', async () => {
    const daemon = await start('process.exit(3)');
    expect(await daemon.exited).toMatchObject({ code: 3 });
    await eventually(() => !existsSync(join(dataDir, 'run', 'thing.json')), Boolean);
  });

  test('that cannot be started is an error', async () => {
    const starting = startDaemon({ name: 'thing', dataDir, command: join(dataDir, 'none'), args: [] });
    await expect(starting).rejects.toThrow(/thing: .*ENOENT/);
  });
});

describe('a process that is kept running', () => {
  let kept: Kept | undefined;
  const said: string[] = [];
  afterEach(() => {
    kept?.hurry();
    said.length = 0;
  });
  const keep = (script: string, isReady = () => Promise.resolve(true)): Kept =>
    (kept = keepRunning({
      name: 'thing',
      dataDir,
      say: { ...silent, line: (text) => void said.push(text) },
      isReady,
      stopDeadlineMs: 500,
      start: () => startDaemon({ name: 'thing', dataDir, ...node(script) }),
    }));

  test('is started again when it dies, and that is said', async () => {
    const thing = keep(sleeper);
    await thing.untilReady();
    const first = thing.pid();
    thing.kill();
    await eventually(() => thing.pid() !== undefined && thing.pid() !== first, Boolean);
    expect(said).toEqual(['thing ended (SIGKILL); starting it again in 0.2 s']);
    expect(thing.restarts()).toBe(1);
  });

  test('is tried for ever, with growing pauses', async () => {
    keep('process.exit(1)');
    await eventually(() => said.length >= 3, Boolean);
    expect(said.slice(0, 3).map((line) => /in ([\d.]+) s$/.exec(line)?.[1])).toEqual(['0.2', '0.4', '0.8']);
  });

  test('stays down while it is held, and comes back', async () => {
    const thing = keep(sleeper);
    await thing.untilReady();
    await thing.hold();
    expect(thing.pid()).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(thing.pid()).toBeUndefined();
    await thing.release();
    expect(thing.pid()).toBeDefined();
    expect(said).toEqual([]);
  });

  test('is stopped for good, frozen or not', async () => {
    const thing = keep(`process.on('SIGTERM', () => process.exit(0)); ${sleeper}`);
    await thing.untilReady();
    const pid = thing.pid()!;
    thing.kill('SIGSTOP');
    await thing.stop();
    expect(startTimeOf(pid)).toBeUndefined();
    expect(thing.pid()).toBeUndefined();
  });

  test('with wrong settings is given up at once, with its own words', async () => {
    const thing = keep(`console.error('PORT takes a number'); process.exit(78)`, () =>
      Promise.resolve(false),
    );
    await expect(thing.untilReady(10_000)).rejects.toThrow(/exit code 78[^]*PORT takes a number/);
  });

  test('that is never ready is told with the end of its log', async () => {
    const thing = keep(`console.error('waiting for Godot'); ${sleeper}`, () => Promise.resolve(false));
    await expect(thing.untilReady(700)).rejects.toThrow(/not ready after 0.7 s[^]*waiting for Godot/);
  });
});
