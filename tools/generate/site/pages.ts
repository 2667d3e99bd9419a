import { join } from 'node:path';
import { catalogue, type CatalogueEntry } from '../../../contracts/catalogue';
import { consumers, type Consumer } from '../../../contracts/consumers';
import { families } from '../../../contracts/families';
import { factSection } from './fact';
import { code, escape, page, table } from './html';

const newest = catalogue.filter(({ next }) => next === null);

/**
 * The catalogue as a site of its own, by the path of each page below docs/catalogue: an index, and a page a family.
 * @param root the repository, for examples and frozen schemas
 */
export const cataloguePages: Readonly<Record<string, (root: string) => string>> = {
  'index.html': indexPage,
  ...Object.fromEntries(
    families.map(({ name }) => [`${name}.html`, (root: string) => familyPage(name, root)]),
  ),
};

function navigation(here: string): string {
  const link = (file: string, title: string): string =>
    `<li><a href="${file}.html"${file === here ? ' aria-current="page"' : ''}>${escape(title)}</a></li>`;
  return `<ul>${link('index', 'All facts')}${families.map(({ name }) => link(name, `${name}.*`)).join('')}</ul>`;
}

function indexPage(): string {
  const facts = newest.map((entry) => [
    `<a href="${entry.family}.html#${entry.type}">${code(entry.type)}</a>`,
    escape(entry.schema.description ?? ''),
    escape(entry.owner),
    escape(entry.consumers.join(', ')),
    code(entry.topic),
    String(entry.version),
  ]);
  const readers = Object.entries<Consumer>(consumers).map(
    ([name, { does, reads, makes, originates = [] }]) => [
      `<a id="consumer-${name}"></a>${escape(name)}`,
      escape(does),
      reads.map(code).join(', '),
      makes.length === 0 ? 'none' : makes.map((each) => escape(JSON.stringify(each))).join(', '),
      originates.map(code).join(', ') || 'none',
    ],
  );
  return page(
    'Hailway: the catalogue of facts',
    navigation('index'),
    [
      '<h1>Facts</h1>',
      '<p>A fact is committed in the transaction of the state that it describes, and reaches every consumer at least once, in order for its key. Facts are kept for ever; positions of drivers are telemetry and not among them.</p>',
      table(
        'Every fact, in its newest version',
        ['fact', 'what has happened', 'producer', 'consumers', 'topic', 'version'],
        facts,
      ),
      '<h2>Consumers</h2>',
      table(
        'Who reads which facts, and makes which on them',
        ['consumer', 'what it does', 'reads', 'makes', 'makes on no fact'],
        readers,
      ),
    ].join('\n'),
  );
}

function familyPage(family: string, root: string): string {
  const facts = newest.filter((entry) => entry.family === family);
  const contracts = join(root, 'contracts');
  const [{ topic, key, owner }] = facts as [CatalogueEntry];
  return page(
    `Hailway: ${family}.*`,
    navigation(family),
    [
      `<h1>${escape(family)}.*</h1>`,
      `<p>Committed by ${escape(owner)}, on topic ${code(topic)} by ${code(key)}.</p>`,
      `<ul>${facts.map(({ type }) => `<li><a href="#${type}">${code(type)}</a></li>`).join('')}</ul>`,
      ...facts.map((entry) => factSection(entry, contracts)),
    ].join('\n'),
  );
}
