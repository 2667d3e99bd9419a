import { declaredTopics } from '../../contracts/access';
import {
  createTopics,
  existingTopics,
  setTopicConfigs,
  TopicsRefused,
  withAdmin,
  type ExistingTopic,
} from '../../platform/kafka';
import { topics } from '../../tools/cli/topics';
import { kafkaDrift, prepareKafka, topicSpecs } from '../../tools/stack/topics';
import { deleteTopics, eventually, testKafka, unique } from '../support/backbone';
import { kafkaBrokers } from '../support/servers';

const kafka = testKafka();
const prefixes: string[] = [];
const newPrefix = (): string => {
  const prefix = `${unique('declared')}.`;
  prefixes.push(prefix);
  return prefix;
};
const preparationOf = (prefix: string) => ({
  address: { brokers: kafkaBrokers() },
  prefix,
  replicas: 1,
  access: false,
});
const topicNamed = async (topic: string, ...more: string[]): Promise<ExistingTopic> => {
  const settings = topicSpecs('', 1).flatMap(({ config = {} }) => Object.keys(config));
  return (await existingTopics(kafka, topic, [...settings, ...more])).find((each) => each.topic === topic)!;
};

afterAll(async () => {
  const names = await withAdmin(kafka, (admin) => admin.listTopics());
  await deleteTopics(
    kafka,
    names.filter((name) => prefixes.some((prefix) => name.startsWith(prefix))),
  );
});

/** The command line's words, and its exit code. */
async function topicsCommand(prefix: string, ...words: string[]): Promise<{ code: number; out: string }> {
  let out = '';
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    const env = { ...process.env, KAFKA_TOPIC_PREFIX: prefix };
    return { code: await topics(words, env), out };
  } finally {
    write.mockRestore();
  }
}

test('every declared topic is made as it is declared, and once', async () => {
  const preparation = preparationOf(newPrefix());
  const { done } = await prepareKafka(preparation);
  expect(done).toHaveLength(declaredTopics.length);
  for (const { topic, partitions, config } of topicSpecs(preparation.prefix, 1)) {
    expect(await topicNamed(topic)).toMatchObject({ partitions, config });
  }
  expect(await kafkaDrift(preparation)).toEqual({ toDo: [], refusals: [], notes: [] });
  expect(await prepareKafka(preparation)).toEqual({ done: [], notes: [] });
});

test('settings that differ are told by a dry run, and set back; what nobody declares of a topic stays', async () => {
  const preparation = preparationOf(newPrefix());
  await prepareKafka(preparation);
  const topic = `${preparation.prefix}rides`;
  const throttle = 'follower.replication.throttled.replicas';
  await setTopicConfigs(kafka, [{ topic, config: { 'retention.ms': '60000', [throttle]: '*' } }]);
  await createTopics(kafka, [{ topic: `${preparation.prefix}stranger`, partitions: 1 }]);

  const looked = await topicsCommand(preparation.prefix);
  expect(looked.code).toBe(1);
  expect(looked.out.split('\n').filter(Boolean)).toEqual([
    `todo ${topic}: retention.ms from 60000 to -1`,
    `note ${preparation.prefix}stranger: nobody declares it`,
  ]);
  expect((await topicNamed(topic)).config).toMatchObject({ 'retention.ms': '60000' });

  const applied = await topicsCommand(preparation.prefix, '--apply');
  expect(applied).toEqual({ code: 0, out: expect.stringContaining('as declared') });
  expect((await topicNamed(topic, throttle)).config).toMatchObject({ 'retention.ms': '-1', [throttle]: '*' });
});

test('partitions are added to telemetry; with too few for facts nothing is touched, and the way out is said', async () => {
  const preparation = preparationOf(newPrefix());
  const { prefix } = preparation;
  await createTopics(kafka, [{ topic: `${prefix}driver-positions`, partitions: 2 }]);
  await prepareKafka(preparation);
  await eventually(
    () => topicNamed(`${prefix}driver-positions`),
    (topic) => topic.partitions === 6,
  );

  const other = preparationOf(newPrefix());
  const { prefix: narrow } = other;
  await createTopics(kafka, [{ topic: `${narrow}rides`, partitions: 2 }]);
  await expect(prepareKafka(other)).rejects.toThrow(TopicsRefused);
  expect(
    (await withAdmin(kafka, (admin) => admin.listTopics())).filter((name) => name.startsWith(narrow)),
  ).toEqual([`${narrow}rides`]);
  const { code, out } = await topicsCommand(narrow, '--apply');
  expect(code).toBe(1);
  expect(out).toContain(`BAD  ${narrow}rides has 2 partitions, and 6 are declared`);
});

test('a setting that Kafka does not take is told with its topic', async () => {
  const { prefix } = preparationOf(newPrefix());
  await prepareKafka(preparationOf(prefix));
  await expect(
    setTopicConfigs(kafka, [{ topic: `${prefix}rides`, config: { 'retention.ms': 'for ever' } }]),
  ).rejects.toThrow(`Kafka refuses: ${prefix}rides`);
});
