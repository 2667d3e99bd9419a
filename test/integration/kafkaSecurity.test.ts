import { declaredTopics, grantsUnder, principals } from '../../contracts/access';
import { ConfigError, loadConfig } from '../../platform/config';
import {
  createKafka,
  createTopics,
  openKafka,
  withAdmin,
  type Kafka,
  type KafkaAddress,
} from '../../platform/kafka';
import { kafkaLogins } from '../../tools/stack/servers/kafkaSecurity';
import { kafkaDrift, prepareKafka } from '../../tools/stack/topics';
import { quiet } from '../support/backbone';
import {
  clusterOperations,
  groupOperations,
  rightsOf,
  topicOperations,
  type Rights,
} from '../support/kafkaRights';
import { startSecuredBroker, type SecuredBroker } from '../support/securedBroker';

/** Who may do what with a broker that asks for TLS, a login and rights. */
const prefix = 'secured.';
let secured: SecuredBroker;
let admin: KafkaAddress;
let addressOf: SecuredBroker['addressOf'];

beforeAll(async () => {
  secured = await startSecuredBroker(prefix);
  ({ admin, addressOf } = secured);
  await createTopics(as(admin), [{ topic: 'stranger', partitions: 1 }]);
}, 90_000);
afterAll(() => secured?.broker.stop(), 30_000);

const as = (address: KafkaAddress): Kafka => createKafka({ ...address, clientId: 'test', log: quiet });

/** Whether a principal may do it, by what is declared and nothing else. */
function isDeclared(principal: string, operation: string, resource: string, name: string): boolean {
  return grantsUnder(prefix).some(
    (grant) =>
      grant.principal === principal &&
      grant.resource === resource &&
      (operation === 'describe' || grant.operation === operation) &&
      (grant.pattern === 'literal' ? grant.name === name : name.startsWith(grant.name)),
  );
}

const topicNames = [...declaredTopics.map(({ name }) => prefix + name), 'stranger'];
const groupNames = [
  ...new Set(
    grantsUnder(prefix)
      .filter(({ resource }) => resource === 'group')
      .map(({ name, pattern }) => (pattern === 'literal' ? name : `${name}1`)),
  ),
  'stranger',
];

/** Everything that a principal may do among all there is. */
async function yeses(rights: Rights): Promise<string[]> {
  const found: string[] = [];
  for (const name of topicNames)
    for (const operation of topicOperations)
      if (await rights.topic(operation, name)) found.push(`${operation} topic ${name}`);
  for (const name of groupNames)
    for (const operation of groupOperations)
      if (await rights.group(operation, name)) found.push(`${operation} group ${name}`);
  for (const operation of clusterOperations) if (await rights.cluster(operation)) found.push(operation);
  return found;
}

const declaredYeses = (principal: string): string[] => [
  ...topicNames.flatMap((name) =>
    topicOperations
      .filter((operation) => isDeclared(principal, operation, 'topic', name))
      .map((operation) => `${operation} topic ${name}`),
  ),
  ...groupNames.flatMap((name) =>
    groupOperations
      .filter((operation) => isDeclared(principal, operation, 'group', name))
      .map((operation) => `${operation} group ${name}`),
  ),
];

test.each(principals)('%s may do what is declared, and nothing else', async (principal) => {
  const rights = await rightsOf(addressOf(principal));
  expect(await yeses(rights)).toEqual(declaredYeses(principal));
  await rights.close();
});

test('who may do everything may do everything that was asked', async () => {
  const rights = await rightsOf(admin);
  expect(await yeses(rights)).toHaveLength(
    topicNames.length * topicOperations.length +
      groupNames.length * groupOperations.length +
      clusterOperations.length,
  );
  await rights.close();
});

test('a wrong password, a name that nobody has, no login and no TLS are refused', async () => {
  const visit = (address: KafkaAddress): Promise<unknown> =>
    withAdmin(as(address), (client) => client.listTopics());
  const { brokers, tls } = admin;
  const refused = { name: 'KafkaJSSASLAuthenticationError' };
  await expect(visit(addressOf('audit'))).resolves.toContain(`${prefix}rides`);
  await expect(visit(addressOf('audit', 'wrong'))).rejects.toMatchObject(refused);
  await expect(visit(addressOf('nobody', addressOf('audit').sasl?.password))).rejects.toMatchObject(refused);
  await expect(visit({ brokers, tls: tls! })).rejects.toThrow();
  await expect(visit({ brokers })).rejects.toThrow();
  await expect(visit({ brokers, sasl: admin.sasl! })).rejects.toThrow();
});

test('rights that nobody declares are taken from our principals, others are told', async () => {
  const kafka = as(admin);
  const entry = {
    ...{ host: '*', resourceType: 2, resourcePatternType: 3, operation: 4, permissionType: 3 },
    resourceName: `${prefix}payments`,
  };
  await withAdmin(kafka, (client) =>
    client.createAcls({
      acl: [
        { ...entry, principal: 'User:gateway' },
        { ...entry, principal: 'User:visitor' },
      ],
    }),
  );
  const gateway = await rightsOf(addressOf('gateway'));
  expect(await gateway.topic('write', `${prefix}payments`)).toBe(true);
  const drift = await kafkaDrift(secured.preparation);
  expect(drift.toDo).toEqual([expect.stringContaining('User:gateway may write topic secured.payments')]);
  expect(drift.notes).toContainEqual(
    expect.stringContaining('User:visitor may write topic secured.payments'),
  );
  await prepareKafka(secured.preparation);
  expect(await gateway.topic('write', `${prefix}payments`)).toBe(false);
  expect((await kafkaDrift(secured.preparation)).toDo).toEqual([]);
  await gateway.close();
});

test('a process whose login or authority is wrong ends with the names of the variables', async () => {
  const { KAFKA_TLS_CA: ca } = (await kafkaLogins(secured.dataDir))['audit']!;
  const open = (env: NodeJS.ProcessEnv): Promise<unknown> =>
    new Promise((resolve) => {
      const stopping = new AbortController();
      const config = loadConfig({ KAFKA_BROKERS: admin.brokers.join(','), ...env });
      openKafka('audit', { config, log: quiet, signal: stopping.signal, fail: resolve });
    });
  const login = { KAFKA_TLS_CA: ca, KAFKA_SASL_USERNAME: 'audit', KAFKA_SASL_PASSWORD: 'wrong' };
  const wrongPassword = await open(login);
  expect(wrongPassword).toBeInstanceOf(ConfigError);
  expect((wrongPassword as Error).message).toContain('KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD');
  expect(((await open({ ...login, KAFKA_TLS_CA: 'system' })) as Error).message).toContain('KAFKA_TLS_CA');
});

test('what does not fit together is told before anything is connected', () => {
  const open = (env: NodeJS.ProcessEnv) => () =>
    openKafka('audit', {
      ...{ config: loadConfig(env), log: quiet, signal: AbortSignal.abort(), fail: () => {} },
    });
  expect(open({ KAFKA_SASL_USERNAME: 'audit' })).toThrow('KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD');
  const login = { KAFKA_SASL_USERNAME: 'audit', KAFKA_SASL_PASSWORD: 'p' };
  expect(open(login)).toThrow('KAFKA_TLS_CA is set');
  expect(open({ ...login, KAFKA_TLS_CA: '/nowhere.pem' })).toThrow('KAFKA_TLS_CA takes a file');
});

test('logins and rights outlast the broker', async () => {
  await secured.broker.hold('SIGTERM');
  await secured.broker.release();
  const rights = await rightsOf(addressOf('audit'));
  expect(await rights.topic('read', `${prefix}rides`)).toBe(true);
  expect(await rights.topic('write', `${prefix}rides`)).toBe(false);
  await rights.close();
}, 60_000);
