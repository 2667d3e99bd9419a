/** What a contestant's process is told. */
export interface HttpOrder {
  readonly contestant: 'bare' | 'raw' | 'express' | 'hailway';
  /** Whose tokens are good. */
  readonly tokens: { readonly jwks: string; readonly issuer: string; readonly audience: string };
  /** Of rides: where hailway looks drivers up. */
  readonly databaseUrl: string;
  /** Where hailway sends what it takes; null where it counts it like the others. */
  readonly kafka: { readonly brokers: string[]; readonly topic: string } | null;
}

/** What it tells. */
export type HttpTold =
  | { readonly at: 'listening'; readonly port: number }
  | { readonly at: 'end'; readonly taken: number; readonly dropped: number; readonly cpuUs: number };

/** Whose positions are sent: those of drivers, each by themselves with a token of their own, or of a fleet. */
export type Senders =
  | { readonly are: 'drivers'; readonly tokens: readonly string[] }
  | { readonly are: 'fleet'; readonly token: string };

/** What the load's process is told: the requests of these numbers, by `requests.ts`. It makes them before it says that it is ready. */
export interface LoadOrder {
  readonly url: string;
  readonly connections: number;
  readonly senders: Senders;
  /** When the positions are from, in milliseconds since 1970. */
  readonly atMs: number;
  readonly first: number;
  readonly amount: number;
}

/** What it tells; it begins when it is told to. */
export type LoadTold =
  | { readonly at: 'ready' }
  | {
      readonly at: 'end';
      /** By the clock, when the first request went out. */
      readonly startedMs: number;
      readonly ms: number;
      readonly p99Ms: number;
      /** By status. */
      readonly answers: Readonly<Record<string, number>>;
      /** Requests that were not answered. */
      readonly errors: number;
    };
