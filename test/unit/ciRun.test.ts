import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '../..');
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hailway-ci-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Outcome {
  check?: number;
  test?: number;
  start?: number;
  /** What jest writes about its run; nothing when it died before. */
  jest?: Record<string, unknown>;
}

/** Runs .ci/run with an npm that plays the outcome. */
function ci({ check = 0, test = 0, start = 0, jest }: Outcome): { status: number | null; lines: string[] } {
  const npm = join(dir, 'npm');
  if (jest) writeFileSync(join(dir, 'jest.json'), JSON.stringify(jest));
  writeFileSync(
    npm,
    `#!/usr/bin/env bash
case "$1" in
  run) exit ${check} ;;
  test) for a in "$@"; do [[ $a == --outputFile=* ]] && cp "${dir}/jest.json" "\${a#--outputFile=}"; done; exit ${test} ;;
  start) echo '{"rides":{}}'; exit ${start} ;;
esac
`,
  );
  chmodSync(npm, 0o755);
  const { status, stdout } = spawnSync(join(root, '.ci', 'run'), {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${dir}:${process.env.PATH}` },
  });
  return { status, lines: stdout.trim().split('\n') };
}

const passed = {
  numPassedTests: 40,
  numFailedTests: 0,
  numRuntimeErrorTestSuites: 0,
  numTotalTests: 40,
  success: true,
};

describe('.ci/run', () => {
  it("ends with jest's counts and 0 when all is well", () => {
    const { status, lines } = ci({ jest: passed });
    expect(lines.at(-1)).toBe('40 passed, 0 failed');
    expect(status).toBe(0);
  });

  it.each<[string, Outcome, string, string]>([
    ['the check', { check: 1, jest: passed }, '40 passed, 0 failed', 'failed: check'],
    ['the city', { start: 1, jest: passed }, '40 passed, 0 failed', 'failed: city'],
    [
      'a test',
      { test: 1, jest: { ...passed, numFailedTests: 2, success: false } },
      '40 passed, 2 failed',
      'failed: test',
    ],
    [
      'a file that cannot be run',
      { test: 1, jest: { ...passed, numRuntimeErrorTestSuites: 1, success: false } },
      '40 passed, 1 failed',
      'failed: test',
    ],
    [
      'a test behind an exit code of 0',
      { jest: { ...passed, numFailedTests: 1, success: false } },
      '40 passed, 1 failed',
      'failed: test',
    ],
    ['jest before it wrote anything', { test: 1 }, '0 passed, 1 failed', 'failed: test'],
    [
      'jest in finding a test',
      { jest: { ...passed, numTotalTests: 0, numPassedTests: 0 } },
      '0 passed, 1 failed',
      'failed: test',
    ],
  ])('says so and exits with 1 when %s fails', (_what, outcome, counts, reason) => {
    const { status, lines } = ci(outcome);
    expect(lines.slice(-2)).toEqual([reason, counts]);
    expect(status).toBe(1);
  });
});
