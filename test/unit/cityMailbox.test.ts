import { createWebhook, signature } from '../../consumers/notifications/webhook';
import { isSigned, openMailbox, type Mailbox, type ReceivedPost } from '../../tools/city/client/mailbox';

describe('a signature', () => {
  const now = Date.UTC(2026, 0, 1);
  const header = signature(['new', 'old'], now, 'body');

  it('is good with either secret of a rotation, for the body that was signed, for a while', () => {
    expect(isSigned(header, 'body', 'new', now)).toBe(true);
    expect(isSigned(header, 'body', 'old', now + 60_000)).toBe(true);
    expect(isSigned(header, 'another body', 'new', now)).toBe(false);
    expect(isSigned(header, 'body', 'another', now)).toBe(false);
    expect(isSigned(header, 'body', 'new', now + 301_000)).toBe(false);
  });

  it.each([
    ['none', undefined],
    ['two headers', [header, header]],
    ['nothing', ''],
    ['no time', header.replace(/^t=\d+,/, '')],
    ['another time', header.replace(/^t=\d+/, `t=${now / 1_000 + 1}`)],
    ['a cut one', header.slice(0, 40)],
    ['one of another kind', header.replaceAll('v1=', 'v0=')],
  ])('is bad where there is %s', (_, bad) => {
    expect(isSigned(bad, 'body', 'new', now)).toBe(false);
  });
});

describe('the mailbox', () => {
  let mailbox: Mailbox;
  let posts: ReceivedPost[];
  beforeEach(async () => {
    posts = [];
    mailbox = await openMailbox((post) => void posts.push(post));
  });
  afterEach(() => mailbox.close());

  const deliver = createWebhook({ timeoutMs: 5_000, privateAddresses: true, now: Date.now });
  const post = async (body: string, secret = 'secret'): Promise<number | null> => {
    const url = mailbox.urlFor('rider 1');
    const letter = { deliveryId: 'd', url, secrets: [secret], body, trusted: false };
    return (await deliver(letter)).status;
  };

  it('takes what the product signs, and writes down what is not signed', async () => {
    mailbox.expect('rider 1', { webhookId: 'hook', secret: 'secret', startsLate: false });
    expect(await post('{"a":1}')).toBe(204);
    expect(await post('forged', 'another')).toBe(401);
    expect(posts).toEqual([
      { webhookId: 'hook', signed: true, body: '{"a":1}' },
      { webhookId: 'hook', signed: false, body: 'forged' },
    ]);
  });

  it('asks to come again while its secret is on its way, and once where it starts late', async () => {
    expect(await post('early')).toBe(503);
    mailbox.expect('rider 1', { webhookId: 'hook', secret: 'secret', startsLate: true });
    expect(await post('first')).toBe(503);
    expect(posts).toEqual([]);
    expect(await post('first')).toBe(204);
    expect(posts).toHaveLength(1);
  });
});
