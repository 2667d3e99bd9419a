import { planTopics, type ExistingTopic, type TopicSpec } from '../../platform/kafka';

const facts: TopicSpec = {
  topic: 'rides',
  partitions: 6,
  replicas: 3,
  config: { 'retention.ms': '-1', 'min.insync.replicas': '2' },
};
const telemetry: TopicSpec = { topic: 'positions', partitions: 6, mayGrow: true };
const asDeclared: ExistingTopic = {
  topic: 'rides',
  partitions: 6,
  replicas: 3,
  config: { 'retention.ms': '-1', 'min.insync.replicas': '2' },
};
const nothing = { create: [], alter: [], grow: [], notes: [], refusals: [] };

test('topics that are as declared need nothing', () => {
  expect(planTopics([facts], [asDeclared])).toEqual(nothing);
});

test('what is missing is created', () => {
  expect(planTopics([facts, telemetry], [asDeclared])).toEqual({ ...nothing, create: [telemetry] });
});

test('of the settings only those that differ are changed', () => {
  const short = { ...asDeclared, config: { ...asDeclared.config, 'retention.ms': '1000', other: '1' } };
  expect(planTopics([facts], [short])).toEqual({
    ...nothing,
    alter: [{ topic: 'rides', config: { 'retention.ms': '-1' }, from: { 'retention.ms': '1000' } }],
  });
});

test('partitions are added to telemetry, and to facts never: a key would change its partition', () => {
  const fewer = { ...asDeclared, partitions: 3 };
  const { refusals, ...rest } = planTopics([facts, telemetry], [fewer, { ...fewer, topic: 'positions' }]);
  const grow = [{ topic: 'positions', from: 3, to: 6 }];
  expect(rest).toEqual({ create: [], alter: [], grow, notes: [] });
  expect(refusals).toEqual([expect.stringContaining('rides has 3 partitions, and 6 are declared')]);
  expect(refusals[0]).toContain('kafka-topics.sh --alter --topic rides --partitions 6');
});

test('more partitions than declared, and a topic that nobody declares, are told', () => {
  const more = { ...asDeclared, partitions: 12 };
  const stranger = { ...asDeclared, topic: 'stranger' };
  const { notes, ...rest } = planTopics([facts], [more, stranger]);
  expect(rest).toEqual({ create: [], alter: [], grow: [], refusals: [] });
  expect(notes).toEqual([
    'rides has 12 partitions, and 6 are declared: Kafka takes none away',
    'stranger: nobody declares it',
  ]);
});

test('no more copies are asked to be in sync than there are: that would refuse every record', () => {
  const single = { ...asDeclared, replicas: 1, config: { ...asDeclared.config, 'min.insync.replicas': '1' } };
  const { notes, ...rest } = planTopics([facts], [single]);
  expect(rest).toEqual({ create: [], alter: [], grow: [], refusals: [] });
  expect(notes).toEqual([expect.stringContaining('rides has 1 copies of a partition, and 3 are declared')]);
});
