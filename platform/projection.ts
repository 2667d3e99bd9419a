import type { Handle, InboxOptions } from './inbox';
import type { MigrationSet } from './postgres';

/** A table that facts alone make: whoever applies the same facts anew has the same rows. */
export interface ProjectionTable {
  readonly name: string;
  /** Columns that say when a row was written and not what happened: they differ each time. */
  readonly notOfFacts?: readonly string[];
  /** SQL: the key, or correlation, of the facts that a row comes from. Each row comes from facts of one. */
  readonly key?: string;
  /** SQL: `ce_time` of the fact that a row comes from; missing where a row comes from more than one. */
  readonly time?: string;
}

/**
 * What a consumer makes of facts, and all that it takes to make it: `main.ts` runs it, `npx hailway replay` makes it
 * anew beside it. What depends on the order between partitions may only be whether `handle` refuses a fact because
 * another has not come yet; anything else would come out differently each time.
 */
export interface Projection {
  /** Of the consumer; its group and database are named by it. */
  readonly name: string;
  /** Without the prefix. */
  readonly topics: readonly string[];
  /** Of the whole database, the inbox's first. */
  readonly migrations: readonly MigrationSet[];
  readonly handle: Handle;
  /** Why a fact is left out by choice; null where it is not. */
  readonly skip?: InboxOptions['skip'];
  /** Those of the database's tables that a replay makes anew. None: `notReplayed` says why. */
  readonly tables: readonly ProjectionTable[];
  readonly notReplayed?: string;
  /**
   * What `handle` sets off outside of `tables`, which a replay does not: a fact that is a dead letter has to come through
   * the live consumer to have that.
   */
  readonly setsOff?: string;
  /** Why no part of it can be made anew by itself, where that is so: by key, or from a time on. */
  readonly wholeOnly?: string;
}
