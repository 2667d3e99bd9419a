/** What a contestant's process is told. */
export interface HttpOrder {
  readonly contestant: 'raw' | 'express' | 'hailway';
  /** Whose tokens are good. */
  readonly tokens: { readonly jwks: string; readonly issuer: string; readonly audience: string };
  /** Where hailway sends what it takes; null where it counts it like the others. */
  readonly kafka: { readonly brokers: string[]; readonly topic: string } | null;
}

/** What it tells. */
export type HttpTold =
  | { readonly at: 'listening'; readonly port: number }
  | { readonly at: 'end'; readonly taken: number; readonly dropped: number; readonly cpuUs: number };

/** What the load's process is told. */
export interface LoadOrder {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** In base64. */
  readonly body: string;
  readonly connections: number;
  /** Requests. */
  readonly amount: number;
}

/** What it tells. */
export interface LoadTold {
  readonly ms: number;
  readonly p99Ms: number;
  /** By status. */
  readonly answers: Readonly<Record<string, number>>;
  /** Requests that were not answered. */
  readonly errors: number;
}
