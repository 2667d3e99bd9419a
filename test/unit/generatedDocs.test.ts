import { join } from 'node:path';
import { declaredTopics } from '../../contracts/access';
import { catalogue } from '../../contracts/catalogue';
import { families } from '../../contracts/families';
import { asyncApiDocument } from '../../tools/generate/asyncapi';
import { asyncApiProblems } from '../../tools/generate/asyncapiParser';
import { versionName } from '../../tools/generate/published';
import { cataloguePages } from '../../tools/generate/site/pages';

const root = join(__dirname, '../..');

interface Message {
  readonly traits: unknown;
  readonly examples: readonly { headers: Record<string, string>; payload: object }[];
}
interface Document {
  readonly operations: Record<string, { action: string; messages: { $ref: string }[] }>;
  readonly components: { messages: Record<string, Message> };
}

describe('the AsyncAPI document', () => {
  const document = asyncApiDocument(root);
  const { operations, components } = document as unknown as Document;

  // The whole of it is held to the parser by `npm run check`, which takes seconds.
  test('is judged by its own parser', async () => {
    const small = {
      ...{
        asyncapi: '3.0.0',
        info: { title: 'Facts', version: '1.0.0' },
        channels: { rides: { address: 'rides' } },
      },
      operations: { 'rides.send': { action: 'send', channel: { $ref: '#/channels/rides' } } },
    };
    expect(await asyncApiProblems(small)).toEqual([]);
    small.operations['rides.send'].action = 'shout';
    expect((await asyncApiProblems(small)).join()).toMatch(
      /docs\/asyncapi.json, operations\/rides\.send\/action: /,
    );
  }, 60_000);

  test('has every version of every fact, sent by its owner and received by its consumers', () => {
    for (const entry of catalogue) {
      const name = versionName(entry);
      const ref = `#/channels/${entry.topic}/messages/${name}`;
      const handles = (operation: string): boolean =>
        operations[operation]!.messages.some(({ $ref }) => $ref === ref);
      expect(handles(`${entry.owner}.send.${entry.topic}`)).toBe(true);
      for (const consumer of entry.consumers)
        expect(handles(`${consumer}.receive.${entry.topic}`)).toBe(true);
      const { traits, examples } = components.messages[name]!;
      expect(traits).toEqual([{ $ref: '#/components/messageTraits/CloudEvent' }]);
      expect(examples[0]!.headers).toMatchObject({ ce_type: entry.type, ce_dataschema: name });
    }
    expect(Object.keys(operations)).toEqual(expect.arrayContaining(['gateway.send.driver-positions']));
  });
});

test('each topic can be reached by a login over TLS, too', () => {
  const { channels, servers, components } = asyncApiDocument(root) as unknown as {
    channels: Record<string, { servers: { $ref: string }[] }>;
    servers: Record<string, { protocol: string; security?: { $ref: string }[] }>;
    components: { securitySchemes: Record<string, { type: string }> };
  };
  const secure = servers['kafka-secure'];
  expect(secure).toMatchObject({
    ...{ protocol: 'kafka-secure', security: [{ $ref: '#/components/securitySchemes/scram' }] },
  });
  expect(components.securitySchemes).toMatchObject({ scram: { type: 'scramSha512' } });
  expect(Object.keys(channels)).toEqual(declaredTopics.map(({ name }) => name));
  for (const channel of Object.values(channels))
    expect(channel.servers).toContainEqual({ $ref: '#/servers/kafka-secure' });
});

describe('the catalogue as a site', () => {
  const pages = Object.entries(cataloguePages).map(([file, make]) => [file, make(root)] as const);

  test('has an index and a page a family, which need nothing from elsewhere', () => {
    expect(pages.map(([file]) => file)).toEqual([
      'index.html',
      ...families.map(({ name }) => `${name}.html`),
    ]);
    for (const [, html] of pages) {
      expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
      expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\/|<script|url\(/);
      expect(html).toContain('color-scheme: light dark');
    }
  });

  test('leads from each link to where it says', () => {
    const ids = new Map(
      pages.map(([file, html]) => [file, [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)]),
    );
    for (const [file, html] of pages)
      for (const [, page, anchor] of html.matchAll(/href="([^"#]*)#?([^"]*)"/g)) {
        const there = ids.get(page === '' ? file : page!);
        expect([file, page, there !== undefined]).toEqual([file, page, true]);
        if (anchor !== '') expect(there).toContain(anchor);
      }
    for (const [, found] of ids) expect(new Set(found).size).toBe(found.length);
  });

  test('shows a fact with its producer, consumers, fields, example, versions and what its upcaster makes', () => {
    const html = Object.fromEntries(pages)['ride.html']!;
    const section = html.slice(
      html.indexOf('<h2 id="ride.requested">'),
      html.indexOf('<h2 id="ride.matching_started">'),
    );
    expect(section).toContain('<dt>producer and owner</dt><dd>rides</dd>');
    expect(section).toContain('<a href="index.html#consumer-notifications">notifications</a>');
    expect(section).toContain(
      '<th scope="row"><code>fare.lines[].kind</code></th><td>string</td><td>always</td>',
    );
    expect(section).toContain(
      'base, distance, time, stop, minimum, surge, toll, tax, adjustment; more may come',
    );
    expect(section).toContain('<th scope="row"><code>paymentMethod&lt;1&gt;.token</code></th>');
    expect(section).toContain('<h3>Version 1</h3>');
    expect(section).toContain('<li>stops: new (array of object)</li>');
    expect(section).toContain('product: enum widened (&quot;standard&quot;, &quot;xl&quot; → ');
    expect(section).toContain('&quot;scheduledFor&quot;: null');
  });
});
