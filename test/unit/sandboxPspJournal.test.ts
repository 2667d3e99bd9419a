import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Journal } from '../../services/sandbox-psp/journal';
import { startPsp } from '../support/sandboxPsp';

type Done = (error: Error | null) => void;
/** Takes the place of the disk's sync: the test says when and how it ends. */
const mockSyncs: Done[] = [];
jest.mock('node:fs', () => ({
  ...jest.requireActual<object>('node:fs'),
  fdatasync: (_fd: number, done: Done) => void mockSyncs.push(done),
}));

let folder: string;
let journal: Journal;
let failures: Error[];
const open = (records: unknown[] = []) =>
  Journal.open(
    join(folder, 'journal.jsonl'),
    (record) => void records.push(record),
    (error) => void failures.push(error),
  );
const nextSync = async (): Promise<Done> => {
  for (;;) {
    const sync = mockSyncs.shift();
    if (sync) return sync;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sandbox-psp-journal-'));
  failures = [];
  mockSyncs.length = 0;
  journal = open();
});
afterEach(async () => {
  await journal.close();
  rmSync(folder, { recursive: true, force: true });
});

test('an append is done when the disk says so, and what came meanwhile shares the next sync', async () => {
  const done: number[] = [];
  const append = (n: number) => journal.append({ n }).then(() => done.push(n));
  const first = append(0);
  const sync = await nextSync();
  const others = Array.from({ length: 100 }, (_, n) => append(n + 1));
  const settled = journal.settled().then(() => done.push(-1));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(done).toEqual([]);
  expect(mockSyncs).toEqual([]);

  sync(null);
  await first;
  expect(done).toEqual([0]);
  (await nextSync())(null);
  await Promise.all([...others, settled]);
  expect(done.length).toBe(102);
  expect(mockSyncs).toEqual([]);

  const records: unknown[] = [];
  await open(records).close();
  expect(records).toEqual(Array.from({ length: 101 }, (_, n) => ({ n })));
});

test('lines longer than a read are put together', async () => {
  const long = { text: 'ä'.repeat(3_000_000) };
  const appended = Promise.all([journal.append(long), journal.append({ n: 1 })]);
  (await nextSync())(null);
  (await nextSync())(null);
  await appended;
  const records: unknown[] = [];
  await open(records).close();
  expect(records).toEqual([long, { n: 1 }]);
});

test('after a failed sync nothing is taken or vouched for any more', async () => {
  const first = journal.append({ n: 1 });
  const sync = await nextSync();
  const second = journal.append({ n: 2 });
  sync(new Error('no space left'));
  await expect(first).rejects.toThrow('could not be written');
  await expect(second).rejects.toThrow('could not be written');
  await expect(journal.append({ n: 3 })).rejects.toThrow('could not be written');
  await expect(journal.settled()).rejects.toThrow('could not be written');
  expect(journal.failed).toBe(true);
  expect(failures).toHaveLength(1);
  expect(readFileSync(join(folder, 'journal.jsonl'), 'utf8')).toBe('{"n":1}\n');
});

test('no answer leaves, and nothing is shown, before the disk has it', async () => {
  const psp = await startPsp({ dataDir: join(folder, 'psp') });
  const answers: string[] = [];
  const answered = <T>(name: string, call: Promise<T>) => call.finally(() => answers.push(name));
  const params = { amount: 900, currency: 'usd', payment_method: 'pm_card_visa' };
  const create = () => psp.stripe.paymentIntents.create(params, { idempotencyKey: 'key' });
  const created = answered('create', create());
  const sync = await nextSync();
  const shown = [
    answered('list', psp.stripe.paymentIntents.list()),
    answered('ledger', psp.ledger()),
    answered('open', psp.openHolds()),
  ];
  await expect(create()).rejects.toMatchObject({ code: 'idempotency_key_in_use' });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(answers).toEqual([]);
  sync(null);
  await Promise.all([created, ...shown]);
  expect(answers.sort()).toEqual(['create', 'ledger', 'list', 'open']);
  await psp.stop();
});

test('when the disk fails nobody is told of a success, then or later', async () => {
  const psp = await startPsp({ dataDir: join(folder, 'psp') });
  const create = () =>
    psp.stripe.paymentIntents.create({ amount: 900, currency: 'usd' }, { idempotencyKey: 'key' });
  const created = create();
  void nextSync().then((sync) => sync(new Error('no space left')));
  await expect(created).rejects.toMatchObject({ statusCode: 500 });
  await expect(create()).rejects.toMatchObject({ statusCode: 500 });
  await expect(psp.stripe.paymentIntents.list()).rejects.toMatchObject({ statusCode: 500 });
  await expect(psp.get('/readyz')).rejects.toThrow('503');
  await psp.stop();
});
