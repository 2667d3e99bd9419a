import type { FactType } from './families';

type Family<T extends string> = T extends `${infer F}.${string}` ? F : never;

/** A fact, a family of facts (`ride.*`), or all of them. */
export type Pattern = FactType | `${Family<FactType>}.*` | '*';

export interface Consumer {
  /** What it does with them, in a sentence. */
  readonly does: string;
  readonly reads: readonly Pattern[];
  /** The facts that it makes on those that it reads; `npm run check` holds how long such a chain gets. */
  readonly makes: readonly { readonly on: Pattern; readonly facts: readonly FactType[] }[];
  /** The facts that it makes on something else: a request, or where drivers are. They begin chains. */
  readonly originates?: readonly FactType[];
  /** The group that it reads facts in, where it keeps what they say in memory alone: it gives up none. Else its name. */
  readonly memoryGroup?: string;
}

/**
 * Who acts on which facts. What a consumer does not name here it is not given; what its code names and this does not
 * compile, and a check holds the rest of the code to it.
 */
export const consumers = {
  analytics: {
    does: 'counts demand and supply by place and minute, decides surge, and sums up what became of rides',
    reads: [
      ...(['ride.scheduled', 'ride.rescheduled', 'ride.requested', 'ride.driver_assigned'] as const),
      ...(['ride.driver_unassigned', 'ride.started', 'ride.route_changed', 'ride.completed'] as const),
      ...(['ride.cancelled', 'ride.no_driver_found', 'ride.payment_failed', 'quote.issued'] as const),
      ...(['driver.went_online', 'driver.went_offline'] as const),
    ],
    makes: [
      ...(['ride.requested', 'ride.driver_unassigned', 'ride.completed', 'ride.cancelled'] as const),
      ...(['driver.went_online'] as const),
    ].map((on) => ({ on, facts: ['surge.changed'] as const })),
  },
  audit: { does: 'keeps every fact', reads: ['*'], makes: [] },
  location: {
    does: 'knows who is near, and who of them is on a ride',
    reads: ['ride.driver_assigned', 'ride.driver_unassigned', 'ride.completed', 'ride.cancelled'],
    makes: [],
    memoryGroup: 'location-rides',
  },
  notifications: {
    does: 'tells riders and drivers, and posts to webhooks',
    reads: ['ride.*', 'payment.*', 'payout.*', 'payout_account.*', 'subject.*'],
    makes: [],
  },
  pricing: {
    does: 'multiplies quotes by the surge of their pickup',
    reads: ['surge.changed'],
    makes: [],
    originates: ['quote.issued'],
  },
  tracks: {
    does: 'keeps the ways of rides, and tells of drivers who enter and leave zones, both by their positions',
    reads: [
      ...(['ride.requested', 'ride.driver_assigned', 'ride.driver_unassigned', 'ride.started'] as const),
      ...(['ride.completed', 'ride.cancelled', 'ride.no_driver_found', 'ride.payment_failed'] as const),
    ],
    makes: [],
    originates: ['zone.entered', 'zone.left'],
  },
} as const satisfies Readonly<Record<string, Consumer>>;

export type ConsumerName = keyof typeof consumers;

/** The Kafka group in which a consumer reads facts. */
export const factGroup = (name: ConsumerName): string => {
  const consumer: Consumer = consumers[name];
  return consumer.memoryGroup ?? name;
};

/** Those whose facts have effects that must not be lost: what they cannot apply is a dead letter. */
export const lastingConsumers = (Object.keys(consumers) as ConsumerName[]).filter(
  (name) => factGroup(name) === name,
);

type Matching<P extends string> = P extends '*'
  ? FactType
  : P extends `${infer F}.*`
    ? Extract<FactType, `${F}.${string}`>
    : Extract<FactType, P>;

/** The types of the facts that a consumer reads. */
export type ReadBy<C extends ConsumerName> = Matching<(typeof consumers)[C]['reads'][number]>;

/** Whether a fact's type is one of those that a pattern stands for. */
export const matches = (pattern: string, type: string): boolean =>
  pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)));

/** Whether a consumer reads facts of a type, also of one that is not in the catalogue yet. */
export const reads = (consumer: ConsumerName, type: string): boolean =>
  consumers[consumer].reads.some((pattern) => matches(pattern, type));
