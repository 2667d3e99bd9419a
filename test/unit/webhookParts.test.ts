import { createHmac } from 'node:crypto';
import { isPublicAddress, literalAddress } from '../../consumers/notifications/address';
import { firstPauseMs, longestPauseMs, pauseAfter, tryForMs } from '../../consumers/notifications/schedule';
import { createWebhook, signature } from '../../consumers/notifications/webhook';

describe('the pauses between attempts', () => {
  const writtenAt = Date.parse('2026-03-01T12:00:00.000Z');
  const after = (attempt: number, elapsedMs = 0, random = 1) =>
    pauseAfter({ attempt, writtenAt, now: writtenAt + elapsedMs, random });

  test('double from 10 s to an hour', () => {
    expect(Array.from({ length: 11 }, (_, i) => after(i + 1)! / 1_000)).toEqual([
      ...[10, 20, 40, 80, 160, 320, 640, 1_280, 2_560],
      ...[3_600, 3_600],
    ]);
    expect(after(10_000)).toBe(longestPauseMs);
  });

  test('are shortened by up to half', () => {
    expect([0, 0.5, 1].map((random) => after(1, 0, random))).toEqual([
      firstPauseMs / 2,
      firstPauseMs * 0.75,
      firstPauseMs,
    ]);
  });

  test('end with a last attempt when the day is over, and then there is none', () => {
    expect(after(30, tryForMs - longestPauseMs - 1)).toBe(longestPauseMs);
    expect(after(30, tryForMs - longestPauseMs + 1)).toBe(longestPauseMs - 1);
    expect(after(30, tryForMs - 1)).toBe(1);
    expect(after(30, tryForMs)).toBeNull();
    expect(after(30, tryForMs + 1)).toBeNull();
  });

  test('add up to a day, whatever the chance', () => {
    for (const random of [0, 0.5, 1]) {
      let elapsed = 0;
      let attempts = 1;
      for (
        let pause = after(1, 0, random);
        pause !== null && attempts < 70;
        pause = after(attempts, elapsed, random)
      ) {
        elapsed += pause;
        attempts += 1;
      }
      expect(elapsed).toBe(tryForMs);
      expect(attempts).toBeLessThan(70);
    }
  });
});

test('after a rotation a body is signed with both secrets', () => {
  const of = (secret: string) => createHmac('sha256', secret).update('1750000000.{}').digest('hex');
  expect(signature(['new', 'old'], 1_750_000_000_999, '{}')).toBe(
    `t=1750000000,v1=${of('new')},v1=${of('old')}`,
  );
});

describe('addresses', () => {
  test.each(
    [
      '127.0.0.1',
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '169.254.169.254',
      '0.0.0.0',
    ].concat(
      [
        '100.64.0.1',
        '224.0.0.1',
        '255.255.255.255',
        '::1',
        '::',
        '::ffff:8.8.8.8',
        'fe80::1',
        'fd00::1',
        'ff02::1',
      ],
      ['64:ff9b::7f00:1', '2002:7f00:1::', '2001:db8::1', 'localhost', ''],
    ),
  )('%j is not public', (address) => expect(isPublicAddress(address)).toBe(false));

  test.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111'])('%s is public', (address) =>
    expect(isPublicAddress(address)).toBe(true),
  );

  test.each([
    ['http://127.1/', '127.0.0.1'],
    ['http://2130706433/', '127.0.0.1'],
    ['http://0x7f.0.0.1/', '127.0.0.1'],
    ['http://[::ffff:127.0.0.1]/', '::ffff:7f00:1'],
    ['http://example.org/', null],
  ])('%s is the address %s', (url, address) => expect(literalAddress(new URL(url))).toBe(address));
});

test.each(['http://127.0.0.1:1/', 'http://localhost:1/', 'https://[::1]:1/'])(
  'nothing is posted to %s',
  async (url) => {
    const post = createWebhook({ timeoutMs: 2_000, privateAddresses: false, now: Date.now });
    const letter = { deliveryId: 'a', url, secrets: ['s'], body: '{}', trusted: false };
    expect(await post(letter)).toEqual({ status: null, error: 'the address is not a public one' });
    expect((await post({ ...letter, trusted: true })).error).toMatch(/ECONNREFUSED/);
  },
);
