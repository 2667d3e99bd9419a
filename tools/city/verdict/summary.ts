/** The JSON object that a counted run ends with. Amounts are integers in minor units. */
export interface Summary {
  /** The rides of this run. Everything below covers all that the data directory holds, earlier runs too. */
  readonly rides: {
    readonly requested: number;
    readonly completed: number;
    readonly cancelled: number;
    readonly noDriver: number;
    readonly paymentFailed: number;
  };
  /** How many of these rides went each of the ways that a ride can go, and what people did beside riding. */
  readonly ways: Readonly<Record<string, number>>;
  readonly payments: {
    /** By currency. */
    readonly captured: Readonly<Record<string, number>>;
    readonly openAuthorizations: number;
    readonly unresolved: number;
  };
  readonly ledger: {
    readonly transactions: number;
    /** The sum of the absolute sums by currency. */
    readonly sumMinor: number;
    readonly matchesProvider: boolean;
  };
  readonly facts: {
    readonly recorded: number;
    readonly published: number;
    readonly lost: number;
    readonly outOfOrder: number;
  };
  readonly consumers: Readonly<Record<string, { readonly applied: number; readonly lag: number }>>;
  readonly invariants: { readonly checked: readonly string[]; readonly violated: readonly string[] };
  readonly speed: number;
  readonly seconds: number;
}
