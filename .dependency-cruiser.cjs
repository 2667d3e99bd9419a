/**
 * Who may import whom: the table of ARCHITECTURE.md. `main.ts` is the one place where parts are put together;
 * test/ and tools/ may import anything but a main.ts. test/unit/importRule.test.ts breaks each row once.
 */
const houses = [
  'domain',
  'contracts',
  'platform',
  'workflows',
  'activities',
  'services',
  'consumers',
  'tools',
  'test',
];
const others = (...allowed) => `^(${houses.filter((house) => !allowed.includes(house)).join('|')})/`;
const npmTypes = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown', 'npm-bundled'];
const notMain = '(^|/)main\\.ts$';

/** @param {string} name @param {string} comment @param {object} from @param {object} to */
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    forbid(
      'domain-imports-nothing',
      'domain/ is plain TypeScript: only its own files.',
      { path: '^domain/' },
      { pathNot: '^domain/' },
    ),
    forbid(
      'contracts-import-domain',
      'contracts/ imports domain/ and zod.',
      { path: '^contracts/' },
      { path: others('contracts', 'domain') },
    ),
    forbid(
      'contracts-use-zod-only',
      'contracts/ imports zod, no other package and nothing of Node.',
      { path: '^contracts/' },
      { dependencyTypes: [...npmTypes, 'core'], pathNot: 'node_modules/zod/' },
    ),
    forbid(
      'platform-knows-no-rides',
      'platform/ imports npm packages only.',
      { path: '^platform/' },
      { path: others('platform') },
    ),
    forbid(
      'workflows-are-sealed',
      'workflows/ import domain/; of the rest of the house only types.',
      { path: '^workflows/' },
      { path: others('workflows', 'domain'), dependencyTypesNot: ['type-only'] },
    ),
    forbid(
      'workflows-use-temporal-only',
      'workflows/ import @temporalio/workflow; of other packages only types, of Node nothing: zod or Node in the sandbox costs its memory or its determinism.',
      { path: '^workflows/' },
      {
        dependencyTypes: [...npmTypes, 'core'],
        pathNot: 'node_modules/@temporalio/workflow/',
        dependencyTypesNot: ['type-only'],
      },
    ),
    forbid(
      'activities-stay-at-the-edge',
      'activities/ import services/ (their own), domain/, contracts/, platform/.',
      { path: '^activities/' },
      { path: others('activities', 'services', 'domain', 'contracts', 'platform') },
    ),
    forbid(
      'activities-own-one-service',
      "an activity's file imports only the service of its name.",
      { path: '^activities/([^/.]+)' },
      { path: '^services/', pathNot: '^services/$1/' },
    ),
    forbid(
      'services-layers',
      'services/X import services/X, domain/, contracts/, platform/; main.ts puts the parts together.',
      { path: '^services/', pathNot: notMain },
      { path: others('services', 'domain', 'contracts', 'platform') },
    ),
    forbid(
      'services-are-apart',
      'services/X import nothing of services/Y.',
      { path: '^services/([^/]+)/', pathNot: notMain },
      { path: '^services/', pathNot: '^services/$1/' },
    ),
    forbid(
      'consumers-layers',
      'consumers/X import consumers/X, domain/, contracts/, platform/; main.ts puts the parts together.',
      { path: '^consumers/', pathNot: notMain },
      { path: others('consumers', 'domain', 'contracts', 'platform') },
    ),
    forbid(
      'consumers-are-apart',
      'consumers/X import nothing of consumers/Y.',
      { path: '^consumers/([^/]+)/', pathNot: notMain },
      { path: '^consumers/', pathNot: '^consumers/$1/' },
    ),
    forbid(
      'nobody-imports-a-main',
      'a main.ts starts a process: it is run, not imported.',
      {},
      { path: '^(domain|contracts|platform|workflows|activities|services|consumers|tools)/.*main\\.ts$' },
    ),
    forbid(
      'nobody-imports-tests-or-tools',
      'what runs in production needs neither test/ nor tools/.',
      { path: others('test', 'tools') },
      { path: '^(test|tools)/' },
    ),
    forbid('tools-need-no-tests', 'tools/ run without test/.', { path: '^tools/' }, { path: '^test/' }),
    forbid('no-circles', 'a circle is one idea in two files, or two in one.', {}, { circular: true }),
    forbid(
      'no-missing-packages',
      'every package imported is in package.json.',
      { path: others() },
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),
    forbid(
      'no-dev-packages',
      'what runs in production needs no devDependencies.',
      { path: others('test', 'tools') },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    ),
    forbid(
      'nothing-unresolvable',
      'every import leads somewhere; what is built may not be built yet.',
      {},
      // MapLibre GL stands beside the map's own modules where the console serves them.
      { couldNotResolve: true, pathNot: '(^|/)dist/|/maplibre-gl\\.mjs$|^\\./grid\\.mjs$' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|data|node_modules/.cache)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'require', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};
