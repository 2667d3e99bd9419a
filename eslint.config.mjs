import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const root = dirname(fileURLToPath(import.meta.url));

/**
 * What would differ between a workflow's run and its replay. The sandbox makes Date, Math.random and timers
 * deterministic.
 */
const notInSandbox = [
  'process',
  'Buffer',
  'fetch',
  'setImmediate',
  'clearImmediate',
  'queueMicrotask',
  'performance',
  'require',
  'WeakRef',
  'FinalizationRegistry',
];

export default defineConfig(
  { ignores: ['dist/', 'node_modules/', 'data/', 'coverage/', '.hailway/'] },
  {
    // What runs before anything is installed or built: few rules, no types.
    files: ['**/*.{js,cjs,mjs}'],
    rules: {
      eqeqeq: ['error', 'always'],
      'prefer-const': 'error',
      'no-unreachable': 'error',
      'no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 250 }],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: root } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' },
      ],
      // An async function without await is how a synchronous part keeps an asynchronous interface.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      eqeqeq: ['error', 'always'],
      'no-console': 'error',
      'max-lines': ['error', { max: 250, skipBlankLines: false, skipComments: false }],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'TSEnumDeclaration',
          message: 'Use a union of strings: an enum is one more thing at run time.',
        },
      ],
    },
  },
  {
    files: ['workflows/**/*.ts', 'domain/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...notInSandbox.map((name) => ({
          name,
          message: 'Not in the workflow sandbox: do it in an activity.',
        })),
      ],
    },
  },
  {
    files: ['workflows/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['node:*'], message: 'Node is not in the workflow sandbox: do it in an activity.' },
            {
              regex: '^(?!\\.{1,2}/|@temporalio/workflow$)',
              allowTypeImports: true,
              message: 'Workflows import @temporalio/workflow and domain/; of anything else only types.',
            },
            {
              regex: '^\\.\\./(?!domain/)',
              allowTypeImports: true,
              message: 'Workflows import domain/; of the rest of the house only types (import type …).',
            },
          ],
        },
      ],
    },
  },
  {
    // The rules themselves have no clock and no chance: both are given to them.
    files: ['domain/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Take the time as an argument.' },
        { object: 'Math', property: 'random', message: 'Take chance as an argument.' },
      ],
    },
  },
  {
    files: ['tools/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-console': 'off',
      'max-lines': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
);
