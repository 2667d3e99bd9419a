/** The `limit` cheapest of all that are offered, sorted. For limits of a few dozen insertion is quickest. */
export class Cheapest {
  private readonly costs: number[] = [];
  private readonly slots: number[] = [];

  /** @param idOf the id of a slot's driver: of those that cost the same the lower one comes first */
  constructor(
    private readonly limit: number,
    private readonly idOf: (slot: number) => string,
  ) {}

  get count(): number {
    return this.slots.length;
  }

  /** The cost nobody new may exceed; infinite while there is room. */
  get worst(): number {
    return this.slots.length < this.limit ? Infinity : this.costs[this.limit - 1]!;
  }

  offer(slot: number, cost: number): void {
    if (cost > this.worst) return;
    const { costs, slots } = this;
    let at = slots.length;
    while (
      at > 0 &&
      (cost < costs[at - 1]! || (cost === costs[at - 1] && this.isBefore(slot, slots[at - 1]!)))
    ) {
      costs[at] = costs[at - 1]!;
      slots[at] = slots[at - 1]!;
      at--;
    }
    costs[at] = cost;
    slots[at] = slot;
    if (slots.length <= this.limit) return;
    costs.pop();
    slots.pop();
  }

  /** Each slot that is kept and its cost, the cheapest first. */
  map<T>(make: (slot: number, cost: number) => T): T[] {
    return this.slots.map((slot, n) => make(slot, this.costs[n]!));
  }

  private isBefore(a: number, b: number): boolean {
    return this.idOf(a) < this.idOf(b);
  }
}
