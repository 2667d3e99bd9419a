/** What is due at which time: holds that end, refunds that their bank answers, evidence that is not heard any more. */
export class Errands {
  private readonly dueAtMs = new Map<string, number>();
  private earliestMs = Infinity;

  /** Object `id` waits for this time (ms since 1970), or for none. */
  set(id: string, dueAtMs: number | null): void {
    if (dueAtMs === null) this.dueAtMs.delete(id);
    else {
      this.dueAtMs.set(id, dueAtMs);
      this.earliestMs = Math.min(this.earliestMs, dueAtMs);
    }
  }

  /** What is due, earliest first. */
  due(nowMs: number): string[] {
    if (nowMs < this.earliestMs) return [];
    const waiting = [...this.dueAtMs].sort(([, a], [, b]) => a - b);
    this.earliestMs = waiting.find(([, dueAtMs]) => dueAtMs > nowMs)?.[1] ?? Infinity;
    return waiting.filter(([, dueAtMs]) => dueAtMs <= nowMs).map(([id]) => id);
  }
}
