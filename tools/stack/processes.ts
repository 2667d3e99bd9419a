import { join } from 'node:path';
import type { ProcessName } from '../../platform/config';
import { projectRoot } from './places';

/** One of the processes that Hailway is made of. */
export interface ProcessSpec {
  readonly name: ProcessName;
  /** Compiled, from the project's root. */
  readonly entry: string;
  /** The heap's limit in MB: all together fit into 3 GB with the servers. */
  readonly heapMb: number;
  /** For what it runs on, beside its settings; what the user's environment sets stays. */
  readonly env?: Readonly<Record<string, string>>;
  /** Loaded before it, in its threads too. */
  readonly preload?: string;
  /** Whether it seals or opens what is personal: nobody else is given the keys of people. */
  readonly hasKeys?: true;
  /** At a stop, lower ones go first; those of the same number together. */
  readonly stopOrder: number;
}

const edge = 1;
const workers = 2;
const consumers = 3;
const relay = 4;
const provider = 5;

/** For the workers of workflows. */
const preload = 'platform/promiseStacks.js';
const hasKeys = true;

/** Has large arrays lie in huge pages where the system has some (glibc 2.35 or later), unless the user's environment says otherwise. */
const hugePages = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };

export const processes: readonly ProcessSpec[] = [
  { name: 'gateway', entry: 'services/gateway/main.js', heapMb: 256, stopOrder: edge, hasKeys },
  { name: 'console', entry: 'services/console/main.js', heapMb: 96, stopOrder: edge },
  { name: 'rides', entry: 'services/rides/main.js', heapMb: 320, stopOrder: workers, preload, hasKeys },
  { name: 'payments', entry: 'services/payments/main.js', heapMb: 320, stopOrder: workers, preload, hasKeys },
  { name: 'pricing', entry: 'services/pricing/main.js', heapMb: 128, stopOrder: consumers, hasKeys },
  {
    name: 'location',
    entry: 'consumers/location/main.js',
    heapMb: 192,
    stopOrder: consumers,
    env: hugePages,
  },
  { name: 'analytics', entry: 'consumers/analytics/main.js', heapMb: 160, stopOrder: consumers },
  { name: 'audit', entry: 'consumers/audit/main.js', heapMb: 160, stopOrder: consumers },
  {
    name: 'notifications',
    entry: 'consumers/notifications/main.js',
    heapMb: 160,
    stopOrder: consumers,
    hasKeys,
  },
  { name: 'tracks', entry: 'consumers/tracks/main.js', heapMb: 192, stopOrder: consumers, hasKeys },
  { name: 'relay', entry: 'services/relay/main.js', heapMb: 160, stopOrder: relay },
  { name: 'sandbox-psp', entry: 'services/sandbox-psp/main.js', heapMb: 160, stopOrder: provider },
];

/** One of them. */
export const processNamed = (name: ProcessName): ProcessSpec => processes.find((spec) => spec.name === name)!;

/** What node is started with for a process. */
export const nodeArguments = ({
  entry,
  heapMb,
  preload,
}: Pick<ProcessSpec, 'entry' | 'heapMb' | 'preload'>): string[] => [
  `--max-old-space-size=${heapMb}`,
  '--max-semi-space-size=8',
  '--enable-source-maps',
  ...(preload === undefined ? [] : ['--require', join(projectRoot(), 'dist', preload)]),
  join(projectRoot(), 'dist', entry),
];
