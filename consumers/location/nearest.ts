/** The `limit` cheapest of all that are offered, sorted. For limits of a few dozen insertion is quickest. */
export class Cheapest {
  /** Of each that is kept, the cheapest first. */
  readonly costs: number[] = [];
  readonly places: number[] = [];

  /** @param idOf the id of the driver whose entry is at a place: of those that cost the same the lower one comes first */
  constructor(
    private readonly limit: number,
    private readonly idOf: (place: number) => string,
  ) {}

  get count(): number {
    return this.places.length;
  }

  /** The cost nobody new may exceed; infinite while there is room. */
  get worst(): number {
    return this.places.length < this.limit ? Infinity : this.costs[this.limit - 1]!;
  }

  offer(place: number, cost: number): void {
    if (cost > this.worst) return;
    const { costs, places } = this;
    let at = places.length;
    while (
      at > 0 &&
      (cost < costs[at - 1]! || (cost === costs[at - 1] && this.isBefore(place, places[at - 1]!)))
    ) {
      costs[at] = costs[at - 1]!;
      places[at] = places[at - 1]!;
      at--;
    }
    costs[at] = cost;
    places[at] = place;
    if (places.length <= this.limit) return;
    costs.pop();
    places.pop();
  }

  private isBefore(a: number, b: number): boolean {
    return this.idOf(a) < this.idOf(b);
  }
}
