import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { transformSync } from '@swc/core';

/** Real processes: the platform files as JavaScript in a folder, and a small main beside them. */
const root = resolve(__dirname, '../..');
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'hailway-shutdown-'));
  for (const file of readdirSync(join(root, 'platform'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const { code } = transformSync(readFileSync(join(root, 'platform', file), 'utf8'), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
    });
    const compiled = join(dir, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(compiled), { recursive: true });
    writeFileSync(compiled, code);
  }
});

const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Ended {
  code: number | null;
  out: string;
}

/** Runs `start` (the body of an async function of `{ log, signal, fail }` that returns stop) as a process. */
function run(
  start: string,
  env: Record<string, string> = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const main = join(dir, `main-${Math.random().toString(36).slice(2)}.js`);
  writeFileSync(
    main,
    `require('./shutdown').runProcess('probe', async ({ config, log, signal, fail }) => { ${start} });`,
  );
  const child = fork(main, {
    silent: true,
    env: { PATH: process.env.PATH, NODE_PATH: join(root, 'node_modules'), ...env },
  });
  children.push(child);
  let out = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  // 'close' never comes after disconnect(): it waits for the channel too.
  const over = (stream: Readable | null) => new Promise((done) => stream?.once('end', done));
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  const ended = Promise.all([exited, over(child.stdout), over(child.stderr)]).then(([code]) => ({
    code,
    out,
  }));
  return { child, ended };
}

const started = (child: ChildProcess): Promise<void> =>
  new Promise((done) =>
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('"started"')) done();
    }),
  );

const stops = `return async () => { await new Promise((r) => setTimeout(r, 50)); log.info('batch done'); };`;

describe('runProcess', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'finishes the batch in hand on %s and exits with 0',
    async (signal) => {
      const { child, ended } = run(stops);
      await started(child);
      child.kill(signal);
      const { code, out } = await ended;
      expect(code).toBe(0);
      expect(out).toContain('batch done');
    },
  );

  it('stops when its parent is gone', async () => {
    const { child, ended } = run(stops);
    await started(child);
    child.disconnect();
    const { code, out } = await ended;
    expect(code).toBe(0);
    expect(out).toContain('parent gone');
    expect(out).toContain('batch done');
  });

  it('exits at once on a second signal', async () => {
    const { child, ended } = run(`return () => { log.info('hanging'); return new Promise(() => {}); };`);
    await started(child);
    child.kill('SIGTERM');
    await new Promise<void>((done) =>
      child.stdout?.on('data', (c: Buffer) => c.includes('hanging') && done()),
    );
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
  });

  it('exits with 1 when it does not stop in time', async () => {
    const { child, ended } = run(
      `const later = setTimeout; globalThis.setTimeout = (f, ms) => later(f, ms / 100); return () => new Promise(() => {});`,
    );
    await started(child);
    child.kill('SIGTERM');
    const { code, out } = await ended;
    expect(code).toBe(1);
    expect(out).toContain('not stopped in time');
  });

  it('exits with 78 and one line that names a wrong variable', async () => {
    const { ended } = run(stops, { HAILWAY_SPEED: 'fast' });
    const { code, out } = await ended;
    expect(code).toBe(78);
    expect(out).toBe(
      'probe: HAILWAY_SPEED takes a number from 0.001 to 10000 (1 is real time), not "fast"\n',
    );
  });

  it('logs a rejection that nobody handles and exits with 1', async () => {
    const { ended } = run(`setTimeout(() => { void Promise.reject(new Error('forgotten')); }, 10); ${stops}`);
    const { code, out } = await ended;
    expect(code).toBe(1);
    expect(out).toContain('forgotten');
  });

  it('stops in order and exits with 1 when work in the background fails', async () => {
    const { ended } = run(`setTimeout(() => fail(new Error('lost its log')), 10); ${stops}`);
    const { code, out } = await ended;
    expect(code).toBe(1);
    expect(out).toContain('lost its log');
    expect(out).toContain('batch done');
  });

  it('exits with 1 when it cannot start', async () => {
    const { ended } = run(`throw new Error('no database');`);
    const { code, out } = await ended;
    expect(code).toBe(1);
    expect(out).toContain('no database');
  });
});
