const { availableParallelism } = require('node:os');

/** Everything is TypeScript through swc; packages that ship only ES modules are transformed too. */
const esModulesOnly = [
  'hyparquet',
  'hyparquet-writer',
  'jose',
  'uuid',
  'node-pg-migrate',
  'glob',
  'minimatch',
  'lru-cache',
  'path-scurry',
];

module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  globalSetup: '<rootDir>/test/support/globalSetup.ts',
  globalTeardown: '<rootDir>/test/support/globalTeardown.ts',
  testTimeout: 60_000,
  // Tests wait for servers more than they compute: one worker leaves the second of two cores idle.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  // Modules of files that are over stay in a worker's memory (Node keeps each AsyncLocalStorage that was ever used):
  // collecting garbage, awaiting and forking grow slower with each file.
  workerIdleMemoryLimit: '500MB',
  testSequencer: '<rootDir>/test/support/longestFirst.cjs',
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.[cm]?[jt]s$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esModulesOnly.join('|')})/)`],
};
