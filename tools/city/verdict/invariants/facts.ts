import {
  groupBy,
  repeats,
  type Evidence,
  type LogRecord,
  type RecordedFact,
  type Violations,
} from '../evidence';

const ofKey = ({ topic, key }: { topic: string; key: string }): string => `${topic}/${key}`;

/** Promise 4: the facts of a key are 1, 2, 3, … in its owner's database. */
export function factsContiguousPerKey(evidence: Pick<Evidence, 'facts'>): Violations {
  return [...groupBy(evidence.facts, ofKey)].flatMap(([key, facts]) => {
    const sequences = facts.map(({ sequence }) => sequence);
    return sequences.every((sequence, i) => sequence === i + 1) ? [] : [`${key} has ${sequences.join(', ')}`];
  });
}

/** Recorded facts that Kafka does not have. */
export function lostFacts(evidence: Pick<Evidence, 'facts' | 'log'>): RecordedFact[] {
  const published = new Set(evidence.log.map(({ id }) => id));
  return evidence.facts.filter(({ id }) => !published.has(id));
}

/** Promise 4: every committed fact is in Kafka. */
export const everyFactInKafka = (evidence: Pick<Evidence, 'facts' | 'log'>): Violations =>
  lostFacts(evidence).map(({ id, topic }) => `${id} is not in ${topic}`);

/** Promise 4, the other way round: what is in Kafka was committed. */
export function nothingInKafkaUncommitted(evidence: Pick<Evidence, 'facts' | 'log'>): Violations {
  const recorded = new Set(evidence.facts.map(({ id }) => id));
  return evidence.log
    .filter(({ id }) => !recorded.has(id))
    .map(({ id, topic, partition, offset }) => `${id} at ${topic}/${partition}/${offset} was never recorded`);
}

/** Records that came after a later one of their key, or in another partition; a repeat is none of these. */
export function outOfOrder(evidence: Pick<Evidence, 'log'>): LogRecord[] {
  const wrong: LogRecord[] = [];
  const seen = new Set<string>();
  const keys = new Map<string, { sequence: number; partition: number }>();
  for (const record of evidence.log) {
    const again = seen.has(record.id);
    seen.add(record.id);
    const before = keys.get(ofKey(record));
    if (before && record.partition !== before.partition) wrong.push(record);
    else if (!again && record.sequence !== (before?.sequence ?? 0) + 1) wrong.push(record);
    if (!again) keys.set(ofKey(record), { sequence: record.sequence, partition: record.partition });
  }
  return wrong;
}

/** Promise 4: in order for its key, judged where each fact appears first. */
export const kafkaOrderPerKey = (evidence: Pick<Evidence, 'log'>): Violations =>
  outOfOrder(evidence).map(
    ({ topic, key, sequence, partition, offset }) => `${topic}/${key}: ${sequence} at ${partition}/${offset}`,
  );

/** Promise 4: every fact is in the audit store, once. */
export function everyFactAuditedOnce(evidence: Pick<Evidence, 'facts' | 'audited'>): Violations {
  const ids = evidence.audited.map(({ id }) => id);
  const audited = new Set(ids);
  return [
    ...evidence.facts.filter(({ id }) => !audited.has(id)).map(({ id }) => `${id} is not in the audit store`),
    ...repeats(ids).map((id) => `${id} is twice in the audit store`),
  ];
}

/** Promise 4: positions are telemetry; the audit store holds facts and nothing else. */
export function positionsNotInAudit(evidence: Pick<Evidence, 'facts' | 'audited'>): Violations {
  const recorded = new Set(evidence.facts.map(({ id }) => id));
  return evidence.audited
    .filter(({ id, topic }) => topic.endsWith('driver-positions') || !recorded.has(id))
    .map(({ id, topic }) => `${id} of ${topic} is in the audit store and is no fact`);
}
