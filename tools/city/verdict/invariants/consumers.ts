import {
  repeats,
  type AnalyticsTotals,
  type Evidence,
  type RecordedFact,
  type Violations,
} from '../evidence';

const counted = {
  requested: 'ride.requested',
  completed: 'ride.completed',
  cancelled: 'ride.cancelled',
  noDriver: 'ride.no_driver_found',
} as const satisfies Record<keyof AnalyticsTotals, string>;

/** Promise 4: each fact has its effect once: what analytics counted is what happened. */
export function analyticsEqualsFacts(evidence: Pick<Evidence, 'facts' | 'analytics'>): Violations {
  return (Object.keys(counted) as (keyof AnalyticsTotals)[]).flatMap((name) => {
    const happened = countOf(evidence.facts, counted[name]);
    const found = evidence.analytics[name];
    return found === happened ? [] : [`analytics counts ${found} rides ${name}, the facts say ${happened}`];
  });
}

const countOf = (facts: readonly RecordedFact[], type: string): number =>
  facts.filter((fact) => fact.type === type).length;

/** Promise 4: each fact has its effect once: who requested a ride is told so, and nobody is told anything twice. */
export function notifiedOnce(evidence: Pick<Evidence, 'facts' | 'notified'>): Violations {
  const about = new Set(evidence.notified.map(({ factId }) => factId));
  const told = evidence.notified.map(
    ({ factId, recipientId, channel, template }) =>
      `${template} of ${factId} to ${recipientId} by ${channel}`,
  );
  return [
    ...evidence.facts
      .filter(({ id, type }) => type === 'ride.requested' && !about.has(id))
      .map(({ id }) => `nobody was told of ${id}`),
    ...repeats(told).map((what) => `${what} was told twice`),
  ];
}

/** Promise 4: every fact reaches every consumer. */
export const everyConsumerCaughtUp = (evidence: Pick<Evidence, 'consumers'>): Violations =>
  Object.entries(evidence.consumers)
    .filter(([, { lag }]) => lag > 0)
    .map(([name, { lag }]) => `${name} has ${lag} records to go`);

/** Promise 6: nothing was put aside for an operator: no key parked, no dead letter. */
export const nothingParked = (evidence: Pick<Evidence, 'parked' | 'deadLetters'>): Violations => [
  ...evidence.parked,
  ...Object.entries(evidence.deadLetters)
    .filter(([, count]) => count > 0)
    .map(([topic, count]) => `${topic} has ${count} records`),
];
