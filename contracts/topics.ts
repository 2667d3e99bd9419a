/**
 * Every topic there is: they are made and kept like this by the stack's and docker-compose's preparing and by
 * `npx hailway topics --apply`, never by whoever happens to write to one.
 */
export interface DeclaredTopic {
  /** Without the prefix of the installation. */
  readonly name: string;
  /** Facts keep the order of their keys; of telemetry the newest wins; dead letters wait for an operator. */
  readonly kind: 'facts' | 'telemetry' | 'dead-letters';
  readonly partitions: number;
  /** -1: for ever. */
  readonly retentionMs: number;
  /** Whether old records go by their age, or when their key has a newer one. */
  readonly cleanup: 'delete' | 'compact';
  /** Of a partition's whole batch, as it is sent. */
  readonly maxMessageBytes: number;
}

/** Kafka's own bound. */
const ordinary = { cleanup: 'delete', maxMessageBytes: 1_048_588 } as const;
const facts = { ...ordinary, kind: 'facts', partitions: 6, retentionMs: -1 } as const;

/** The topics by domain; facts are kept for ever, positions are telemetry and kept for two hours. */
export const topics = [
  { ...facts, name: 'rides' },
  { ...facts, name: 'payments' },
  { ...facts, name: 'drivers' },
  { ...facts, name: 'pricing' },
  { ...facts, name: 'ratings' },
  { ...ordinary, name: 'driver-positions', kind: 'telemetry', partitions: 6, retentionMs: 7_200_000 },
] as const satisfies readonly DeclaredTopic[];

export type FactTopic = Extract<(typeof topics)[number], { readonly kind: 'facts' }>['name'];

/** Where a consumer group puts the facts that it could not apply. */
export const deadLetterTopic = (group: string): DeclaredTopic => ({
  name: `${group}.dead-letter`,
  kind: 'dead-letters',
  partitions: 1,
  retentionMs: -1,
  cleanup: 'delete',
  // A dead letter is a fact and the reason it is dead, so it may be larger than a fact.
  maxMessageBytes: 2_097_152,
});
