import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const root = resolve(__dirname, '../..');
const config = join(root, '.dependency-cruiser.cjs');

/** Rule → a file that breaks it (path, then what it imports). */
const broken: Readonly<Record<string, readonly [path: string, code: string][]>> = {
  'domain-imports-nothing': [
    ['domain/a.ts', `import '../contracts/ok';`],
    ['domain/b.ts', `import { z } from 'zod'; z;`],
    ['domain/c.ts', `import 'node:crypto';`],
    ['domain/d.ts', `import type { Ok } from '../platform/ok'; export type A = Ok;`],
  ],
  'contracts-import-domain': [['contracts/a.ts', `import '../platform/ok';`]],
  'contracts-use-zod-only': [
    ['contracts/b.ts', `import 'express';`],
    ['contracts/c.ts', `import 'node:fs';`],
  ],
  'platform-knows-no-rides': [
    ['platform/a.ts', `import '../domain/ok';`],
    ['platform/b.ts', `import type { Ok } from '../contracts/ok'; export type A = Ok;`],
  ],
  'workflows-are-sealed': [
    ['workflows/a.ts', `import '../contracts/ok';`],
    ['workflows/b.ts', `import { ok } from '../activities/rides'; ok;`],
  ],
  'workflows-use-temporal-only': [
    ['workflows/c.ts', `import { z } from 'zod'; z;`],
    ['workflows/d.ts', `import 'node:crypto';`],
    ['workflows/e.ts', `import '@temporalio/client';`],
  ],
  'activities-stay-at-the-edge': [['activities/a.ts', `import '../consumers/audit/ok';`]],
  'activities-own-one-service': [['activities/payments.ts', `import '../services/rides/ok';`]],
  'services-layers': [
    ['services/rides/a.ts', `import '../../activities/rides';`],
    ['services/rides/b.ts', `import '../../consumers/audit/ok';`],
  ],
  'services-are-apart': [['services/rides/c.ts', `import '../payments/ok';`]],
  'consumers-layers': [['consumers/audit/a.ts', `import '../../services/rides/ok';`]],
  'consumers-are-apart': [['consumers/audit/b.ts', `import '../location/ok';`]],
  'nobody-imports-a-main': [
    ['services/rides/d.ts', `import './main';`],
    ['test/a.ts', `import '../services/rides/main';`],
    ['tools/a.ts', `import '../services/rides/main';`],
  ],
  'nobody-imports-tests-or-tools': [
    ['platform/c.ts', `import '../tools/ok';`],
    ['services/rides/e.ts', `import '../../test/ok';`],
  ],
  'tools-need-no-tests': [['tools/b.ts', `import '../test/ok';`]],
  'no-circles': [['domain/circle.ts', `import './circled';`]],
  'no-missing-packages': [['platform/d.ts', `import 'semver';`]],
  'no-dev-packages': [['platform/e.ts', `import 'typescript';`]],
  'nothing-unresolvable': [['platform/f.ts', `import './nowhere';`]],
};

/** What the rule lets through. */
const allowed: readonly [path: string, code: string][] = [
  ['domain/ok.ts', `export type Ok = 1; export const ok = 1;`],
  [
    'contracts/ok.ts',
    `import { z } from 'zod'; import { ok } from '../domain/ok'; export type Ok = typeof ok | typeof z;`,
  ],
  ['platform/ok.ts', `import 'pg'; import 'node:fs'; export type Ok = 1;`],
  [
    'workflows/ok.ts',
    `import '@temporalio/workflow'; import { ok } from '../domain/ok'; import type * as a from '../activities/rides'; import type { z } from 'zod'; export type Ok = typeof a | typeof z | typeof ok;`,
  ],
  [
    'activities/rides.ts',
    `import '../services/rides/ok'; import '../platform/ok'; import '../contracts/ok'; export const ok = 1;`,
  ],
  [
    'services/rides/ok.ts',
    `import '../../platform/ok'; import '../../contracts/ok'; import '../../domain/ok';`,
  ],
  ['services/rides/main.ts', `import '../../activities/rides'; import './ok'; import '../../workflows/ok';`],
  ['services/payments/ok.ts', ''],
  [
    'consumers/audit/ok.ts',
    `import '../../platform/ok'; import '../../contracts/ok'; import '../../domain/ok';`,
  ],
  ['consumers/location/ok.ts', ''],
  ['tools/ok.ts', `import '../services/rides/ok'; import 'typescript';`],
  ['test/ok.ts', `import '../tools/ok'; import '../services/rides/ok'; import 'yaml';`],
];

interface Violation {
  from: string;
  rule: { name: string };
}

const dirs: string[] = [];
afterAll(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

/** A repository of these files under the project's own rule, as the tool sees it. */
function violations(files: readonly (readonly [string, string])[]): Violation[] {
  const dir = mkdtempSync(join(tmpdir(), 'hailway-imports-'));
  dirs.push(dir);
  for (const [path, code] of files) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), code);
  }
  for (const shared of ['node_modules', 'package.json', 'tsconfig.json'])
    symlinkSync(join(root, shared), join(dir, shared));
  const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const folders = [...new Set(files.map(([path]) => path.split('/')[0] ?? ''))];
  const out = execFileSync(process.execPath, [bin, '--config', config, '--output-type', 'json', ...folders], {
    cwd: dir,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const { summary } = JSON.parse(out) as { summary: { violations: Violation[] } };
  return summary.violations;
}

describe('the import rule', () => {
  const circled = ['domain/circled.ts', `import './circle';`] as const;
  const all = [...allowed, ...Object.values(broken).flat(), circled];
  let found: Violation[];
  beforeAll(() => {
    found = violations(all);
  }, 60_000);

  it.each(
    Object.entries(broken).flatMap(([rule, files]) =>
      files.map(([path, code]) => [rule, path, code] as const),
    ),
  )('%s: refuses %s with %s', (rule, path) => {
    expect(
      found.filter((violation) => violation.from === path).map((violation) => violation.rule.name),
    ).toContain(rule);
  });

  it('is tried in each of its parts', () => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- the tool's own configuration
    const { forbidden } = require(config) as { forbidden: { name: string }[] };
    expect(Object.keys(broken).sort()).toEqual(forbidden.map((rule) => rule.name).sort());
  });

  it('lets through what it allows', () => {
    expect(violations(allowed)).toEqual([]);
  }, 60_000);
});
