/** How fast counters rise that begin at 0 again when their process does. */
export class Rates {
  private readonly before = new Map<string, { count: number; atMs: number }>();

  /**
   * By how much a counter has risen a second since the look before; 0 at the first look, and where it has begun anew.
   * @param atMs milliseconds by a clock that nobody sets
   */
  of(counter: string, count: number, atMs: number): number {
    const before = this.before.get(counter);
    this.before.set(counter, { count, atMs });
    if (before === undefined || count < before.count || atMs <= before.atMs) return 0;
    return ((count - before.count) * 1_000) / (atMs - before.atMs);
  }
}
