interface Candidate {
  readonly id: string;
  readonly distance: number;
  readonly slot: number;
}

const isNearer = (a: Candidate, b: Candidate): boolean =>
  a.distance < b.distance || (a.distance === b.distance && a.id < b.id);

/** Keeps the `limit` nearest of all that are offered, sorted. For limits of a few dozen insertion is quickest. */
export class Nearest {
  private kept: Candidate[] = [];

  constructor(private readonly limit: number) {}

  offer(id: string, distance: number, slot: number): void {
    if (this.kept.length === this.limit && distance > this.worstDistance()) return;
    const candidate = { id, distance, slot };
    let at = this.kept.length;
    while (at > 0 && isNearer(candidate, this.kept[at - 1]!)) at--;
    this.kept.splice(at, 0, candidate);
    if (this.kept.length > this.limit) this.kept.pop();
  }

  /** The distance nobody new may exceed; infinite while there is room. */
  worstDistance(): number {
    return this.kept.length < this.limit ? Infinity : this.kept[this.limit - 1]!.distance;
  }

  clear(): void {
    this.kept = [];
  }

  /** Nearest first; equally near ones by id. */
  sorted(): readonly Candidate[] {
    return this.kept;
  }
}
