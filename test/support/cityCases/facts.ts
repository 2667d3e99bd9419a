import { fact, withId, without, type Case } from './doctor';

/** What breaks the promises on facts and consumers. */
export const factsCases: readonly Case[] = [
  [
    'factsContiguousPerKey',
    'a version is missing',
    'rides/ride-1 has 1, 3',
    (e) => void (e.facts = without(e.facts, withId('ride.matching_started/ride-1/2'))),
  ],
  [
    'factsContiguousPerKey',
    'a version is there twice',
    '3, 3',
    (e) => void e.facts.push({ ...fact(e, 'ride.no_driver_found/ride-4/3') }),
  ],
  [
    'everyFactInKafka',
    'a fact is not in Kafka',
    'ride.completed/ride-1/6 is not in rides',
    (e) => void (e.log = without(e.log, withId('ride.completed/ride-1/6'))),
  ],
  [
    'nothingInKafkaUncommitted',
    'Kafka has what was never recorded',
    'x/ride-1/7 at rides/0/',
    (e) => e.log.push({ ...e.log[5]!, id: 'x/ride-1/7', sequence: 7 }),
  ],
  [
    'kafkaOrderPerKey',
    'two facts are swapped',
    'rides/ride-1: 3',
    (e) => {
      [e.log[1], e.log[2]] = [e.log[2]!, e.log[1]!];
    },
  ],
  [
    'kafkaOrderPerKey',
    'a key is in two partitions',
    'at 1/',
    (e) => void (e.log[1] = { ...e.log[1]!, partition: 1 }),
  ],
  [
    'everyFactAuditedOnce',
    'a fact did not reach the audit store',
    'is not in the audit store',
    (e) => void e.audited.pop(),
  ],
  [
    'everyFactAuditedOnce',
    'a fact is twice in the audit store',
    'is twice',
    (e) => void e.audited.push(e.audited[0]!),
  ],
  [
    'positionsNotInAudit',
    'a position is in the audit store',
    'of driver-positions',
    (e) => void e.audited.push({ id: 'position/1', topic: 'driver-positions' }),
  ],
  [
    'positionsNotInAudit',
    'what is no fact is in the audit store',
    'is no fact',
    (e) => void e.audited.push({ id: 'hello/1', topic: 'rides' }),
  ],
  [
    'analyticsEqualsFacts',
    'a ride was counted twice',
    'counts 4 rides completed, the facts say 3',
    (e) => void (e.analytics = { ...e.analytics, completed: 4 }),
  ],
  [
    'analyticsEqualsFacts',
    'a ride was not counted',
    'counts 4 rides requested',
    (e) => void (e.analytics = { ...e.analytics, requested: 4 }),
  ],
  ['notifiedOnce', 'somebody is told twice', 'was told twice', (e) => void e.notified.push(e.notified[0]!)],
  ['notifiedOnce', 'somebody is not told', 'nobody was told of', (e) => void e.notified.pop()],
  [
    'everyConsumerCaughtUp',
    'a consumer is behind',
    'analytics has 3 records',
    (e) => void (e.consumers = { analytics: { applied: 1, lag: 3 } }),
  ],
  [
    'nothingParked',
    'the relay holds a key',
    'the relay holds',
    (e) => e.parked.push('the relay holds rides/1'),
  ],
  [
    'nothingParked',
    'there are dead letters',
    'audit.dead-letter has 2',
    (e) => void (e.deadLetters = { 'audit.dead-letter': 2 }),
  ],
];
