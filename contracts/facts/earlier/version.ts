import type { z } from 'zod';

/** A version of a fact that has a newer one. Facts of it are stored, so it stays, and stays readable. */
export interface EarlierVersion {
  readonly schema: z.ZodType;
  /** What the next version changed, in a sentence. */
  readonly changed: string;
  /** Makes the next version's data of this one's. Pure: the same data, whenever and by whomever it is read. */
  readonly upcast: (data: unknown) => unknown;
}

/**
 * An earlier version, held to its types: `upcast` takes what `schema` reads and gives what `next`, the schema of the next
 * version, can read. Where that is the same data (what it lacks has a default there) it is `(data) => data`.
 */
export const earlier = <S extends z.ZodType, N extends z.ZodType>(version: {
  readonly schema: S;
  readonly next: N;
  readonly changed: string;
  readonly upcast: (data: z.output<S>) => z.input<N>;
}): EarlierVersion & { readonly schema: S } => version as typeof version & EarlierVersion;
