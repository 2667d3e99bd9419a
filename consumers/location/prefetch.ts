/**
 * What is read together: more than the processor has under way at once, and little enough for its own caches to hold until
 * it is used.
 */
export const BLOCK = 128;

/** Where what was read goes, so that the compiler does not leave the reads out. */
const sink = new Int32Array(1);

/**
 * Reads words that are needed soon. Where one read says where the next is, as in a hash table or a list, the processor
 * waits for each, some 150 ns in a large index; of reads that do not depend on each other it has a dozen or more under way,
 * if there is little between them. So whatever is done to many is done in steps: with what is near, find for each where
 * the next read is; then make all these reads in this loop, which does nothing else.
 * @param places of the first `count` of these, each and `offset`
 */
export function prefetch(words: Int32Array, places: Int32Array, count: number, offset = 0): void {
  let sum = 0;
  for (let n = 0; n < count; n++) sum ^= words[places[n]! + offset]!;
  sink[0]! ^= sum;
}
