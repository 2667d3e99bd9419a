import { createLogger } from '../../platform/log';
import { startTelemetry } from '../../platform/telemetry';
import { contextFrom, within, withLogFields } from '../../platform/telemetry/trace';
import { httpServers } from '../support/httpServers';

const lines: string[] = [];
const log = createLogger('test', 'debug', { write: (line: string) => void lines.push(line) });
const written = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
const start = httpServers(log);

beforeAll(() => void startTelemetry({ service: 'hailway-test', endpoint: '', log }));
beforeEach(() => void lines.splice(0));

test('every line of a request has its id and its trace, also those of what the request sets off', async () => {
  const { url } = await start({
    routes: (router) =>
      router.get('/x', async (_req, res) => {
        await Promise.resolve();
        log.info('deep inside');
        res.json({});
      }),
  });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
  const response = await fetch(`${url}/x`, { headers: { traceparent, 'x-request-id': 'request-1' } });
  await response.text();
  while (written().length < 2) await new Promise(setImmediate);
  const of = {
    requestId: 'request-1',
    trace_id: '0af7651916cd43dd8448eb211c80319c',
    span_id: expect.any(String),
  };
  expect(written()).toEqual([
    expect.objectContaining({ ...of, msg: 'deep inside' }),
    expect.objectContaining({ ...of, msg: 'request', path: '/x', status: 200 }),
  ]);
});

test('a line of nothing in particular has none of that, and one of an activity says which', () => {
  log.info('alone');
  within(withLogFields(contextFrom(undefined), { workflowId: 'ride-1', activity: 'assignDriver' }), () =>
    log.info('at work'),
  );
  const [alone, atWork] = written();
  expect(Object.keys(alone!)).toEqual(['level', 'time', 'pid', 'name', 'msg']);
  expect(atWork).toMatchObject({ workflowId: 'ride-1', activity: 'assignDriver' });
});

/** What must be in no log, wherever it is put. */
const secrets = {
  words: [
    'Anna',
    'pm_card_visa',
    '40.7317',
    '-73.99',
    'eyJ.token',
    'sk_test_1',
    '4242424242424242',
    'gate code 9',
  ],
};
const request = {
  riderId: 'rider-1',
  pickup: { lat: 40.7317, lng: -73.99 },
  stops: [{ lat: 40.7317, lng: -73.99 }],
  paymentMethod: { type: 'card', token: 'pm_card_visa' },
  driver: { name: 'Anna', plate: 'Anna-1' },
  note: 'gate code 9',
};

const expectNothing = (): void => {
  for (const word of secrets.words) expect(lines.join('')).not.toContain(word);
};

test('secrets and what is about people are blotted out, however deep they are', () => {
  log.info({ request }, 'a request');
  log.info({ ride: { rideId: 'ride-1', ...request }, list: [request], bytes: Buffer.from('Anna') }, 'a ride');
  log.info({ headers: { authorization: 'eyJ.token' }, config: { apiKey: 'sk_test_1' } }, 'settings');
  log.info({ deep: { deeper: { cardNumber: '4242424242424242', reason: 'Anna' } } }, 'a card');
  expectNothing();
  expect(written()[1]).toMatchObject({
    ride: { rideId: 'ride-1', riderId: 'rider-1', pickup: '[redacted]' },
  });
});

test('an error is logged without the data that it quotes', () => {
  const row = Object.assign(new Error('new row violates check constraint "fare"'), {
    ...{ code: '23514', constraint: 'fare', detail: 'Failing row contains (ride-1, Anna, 40.7317).' },
    ...{ where: 'COPY rides, line 1: "Anna"', parameters: ['Anna'] },
  });
  const input = Object.assign(new Error('invalid input syntax for type integer: "Anna"'), { code: '22P02' });
  log.error({ err: new Error('not applied', { cause: row }) }, 'failed');
  log.error({ err: input }, 'failed');
  log.warn({ error: Object.assign(new Error('refused'), { request, config: { data: 'Anna' } }) }, 'not sent');
  try {
    JSON.parse('Anna, 40.7317');
  } catch (error) {
    log.error({ err: new Error('the value is not JSON', { cause: error }) }, 'malformed');
  }
  expectNothing();
  expect(written()[0]).toMatchObject({
    err: {
      message: 'not applied',
      stack: expect.stringContaining('platformLog.test'),
      cause: { code: '23514', constraint: 'fare' },
    },
  });
  expect(written()[1]).toMatchObject({
    err: { code: '22P02', message: 'invalid input syntax for type integer: "[redacted]"' },
  });
});
