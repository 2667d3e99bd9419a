import type { Violation } from './judge';

/** What was done, and what came of it. */
export interface Found {
  /** In words. */
  readonly what: string;
  readonly seed: number;
  /** What the judge has found. */
  readonly wrong: readonly Violation[];
  /** What it was to find, where something wrong was done. */
  readonly sought?: string;
  readonly isWell: boolean;
}
