import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { catalogue, factEntry, topicsRead, type CatalogueEntry } from '../../contracts/catalogue';
import { consumers, matches, reads } from '../../contracts/consumers';
import { FactInvalid, knownFact, readerOf, skipReason } from '../../contracts/knownFact';
import { writtenFact } from '../../contracts/writtenFact';
import { chainProblems } from '../../tools/generate/chains';
import {
  catalogueProblems,
  exampleProblems,
  nameProblems,
  ownerProblems,
  readExample,
} from '../../tools/generate/catalogueProblems';
import { versionName } from '../../tools/generate/published';
import { realityProblems } from '../../tools/generate/reality';

const root = join(__dirname, '../..');
const examples = join(root, 'contracts/examples');
const dir = mkdtempSync(join(tmpdir(), 'hailway-catalogue-'));
afterAll(() => rmSync(dir, { recursive: true }));

describe('the catalogue', () => {
  test('is true', () => {
    expect(catalogueProblems(root)).toEqual([]);
  });

  test('names an owner that is a process', () => {
    const lost = { ...factEntry('ride.started')!, owner: 'nobody-we-know' };
    expect(ownerProblems([lost], root)).toEqual([
      expect.stringContaining('ride.started is owned by nobody-we-know'),
    ]);
  });

  test('has a fact once, under the name of its family, and says what has happened', () => {
    const fact = factEntry('ride.started')!;
    const silent: CatalogueEntry = { ...fact, type: 'car.started', schema: z.object({}) };
    expect(nameProblems([fact, fact, silent])).toEqual([
      expect.stringContaining('ride.started.v1 is in two families'),
      expect.stringContaining('car.started is of the family ride'),
      expect.stringContaining('car.started does not say what has happened'),
    ]);
  });

  test('has an example of every version that its schema takes, and of nothing else', () => {
    cpSync(examples, dir, { recursive: true });
    expect(exampleProblems(catalogue, dir)).toEqual([]);
    writeFileSync(join(dir, 'ride.started.v1.json'), JSON.stringify({ driverId: 7 }));
    writeFileSync(join(dir, 'ride.started.v2.json'), '{}');
    rmSync(join(dir, 'ride.requested.v1.json'));
    expect(exampleProblems(catalogue, dir).sort()).toEqual([
      expect.stringContaining('ride.requested.v1.json is missing'),
      expect.stringContaining('ride.started.v1.json is not what its schema says'),
      expect.stringContaining('ride.started.v2.json is of no fact'),
    ]);
  });
});

const owned = (types: string, owner = 'ride'): { type: string; owner: string }[] =>
  types.split(' ').map((type) => ({ type, owner }));

describe('chains of facts', () => {
  const makes = (on: string, ...facts: string[]) => ({ reads: ['*' as const], makes: [{ on, facts }] });

  test('may have three further facts, and no fourth: the path is told', () => {
    const three = { a: makes('x.1', 'a.1'), b: makes('a.*', 'b.1'), c: makes('b.1', 'c.1') };
    const facts = [...owned('x.1'), ...owned('a.1', 'a'), ...owned('b.1', 'b'), ...owned('c.1', 'c')];
    expect(chainProblems(facts, three)).toEqual([]);
    expect(chainProblems([...facts, ...owned('d.1', 'd')], { ...three, d: makes('c.1', 'd.1') })).toEqual([
      'A chain has 4 further facts, and 3 at most may follow one: ' +
        'x.1 -(a)-> a.1 -(b)-> b.1 -(c)-> c.1 -(d)-> d.1.',
    ]);
  });

  test('do not go round, also not by a pattern', () => {
    const facts = [...owned('x.1'), ...owned('a.1', 'a'), ...owned('b.1', 'b')];
    const round = { a: makes('*', 'a.1'), b: makes('a.1', 'b.1') };
    expect(chainProblems(facts, round)).toEqual([
      'A chain of facts goes round: a.1 -(a)-> a.1.',
      'A chain of facts goes round: a.1 -(b)-> b.1 -(a)-> a.1.',
    ]);
  });

  test('are made of what a consumer reads and owns', () => {
    const deaf = { a: { reads: ['ride.started' as const], makes: [{ on: 'ride.*', facts: ['x.1'] }] } };
    expect(chainProblems(owned('ride.started ride.completed x.1'), deaf)).toEqual([
      'a makes facts on ride.*, and does not read it.',
      "a makes x.1, which is ride's to make.",
    ]);
  });
});

describe('consumers', () => {
  test('name in their code what the catalogue says that they read, and nothing else', () => {
    const house = join(dir, 'house');
    const code = `switch (type) { case 'ride.started': case 'ride.startet': case "payment.captured": }`;
    mkdirSync(join(house, 'consumers/clock'), { recursive: true });
    writeFileSync(join(house, 'consumers/clock/handler.ts'), code);
    const facts = owned('ride.started ride.completed payment.captured');
    const said = (patterns: string[]) =>
      realityProblems(facts, { clock: { reads: patterns, makes: [] } }, house);
    const typo = 'consumers/clock/handler.ts names ride.startet, and no fact is called so.';
    expect(said(['ride.*', 'payment.*'])).toEqual([typo]);
    expect(said(['*'])).toEqual([typo]);
    expect(said(['ride.*'])).toEqual([
      typo,
      'consumers/clock/handler.ts names payment.captured, and contracts/consumers.ts does not say that clock reads it.',
    ]);
    expect(said(['ride.*', 'payment.*', 'ride.completed'])).toEqual([
      typo,
      'contracts/consumers.ts says that clock reads ride.completed, and its code names none.',
    ]);
  });

  test('may be services, and name what is their own', () => {
    const house = join(dir, 'services-read');
    mkdirSync(join(house, 'services/till'), { recursive: true });
    writeFileSync(join(house, 'services/till/books.ts'), `['till.counted', 'ride.started']`);
    const facts = [...owned('ride.started'), ...owned('till.counted', 'till')];
    const said = (consumer: string, ...patterns: string[]) =>
      realityProblems(
        facts,
        { [consumer]: { reads: patterns, makes: [], originates: ['till.counted'] } },
        house,
      );
    expect(said('till', 'ride.started')).toEqual([]);
    expect(said('till')).toEqual([
      'services/till/books.ts names ride.started, and contracts/consumers.ts does not say that till reads it.',
    ]);
    expect(said('nobody', '*')).toEqual([
      'There is no consumers/nobody and no services/nobody, whose facts are read.',
    ]);
  });

  test('say which facts they make: what is their own, and whatever a file names that records facts', () => {
    const house = join(dir, 'makers');
    mkdirSync(join(house, 'consumers/bell'), { recursive: true });
    writeFileSync(join(house, 'consumers/bell/handler.ts'), `case 'ride.started': case 'ride.completed':`);
    writeFileSync(
      join(house, 'consumers/bell/ring.ts'),
      `recordFact(tx, writtenFact({ type: late ? 'bell.rung' : 'ride.completed' }));`,
    );
    const facts = [...owned('ride.started ride.completed'), ...owned('bell.rung bell.cracked', 'bell')];
    const said = (...made: string[]) => {
      const makes = [{ on: 'ride.started', facts: made }];
      return realityProblems(facts, { bell: { reads: ['ride.*'], makes } }, house);
    };
    const makes = (type: string) =>
      `consumers/bell/ring.ts makes ${type}, and contracts/consumers.ts does not say that bell does.`;
    expect(said()).toEqual([makes('bell.rung'), makes('ride.completed')]);
    expect(said('bell.rung')).toEqual([makes('ride.completed')]);
    expect(said('bell.rung', 'ride.completed')).toEqual([]);
    expect(said('bell.rung', 'ride.completed', 'bell.cracked')).toEqual([
      'contracts/consumers.ts says that bell makes bell.cracked, and its code does not name it.',
    ]);
  });

  test('read by patterns: of which topics, and which facts', () => {
    expect(topicsRead('pricing')).toEqual(['pricing']);
    expect(topicsRead('notifications')).toEqual(['rides', 'payments']);
    expect(topicsRead('audit')).toEqual([...new Set(catalogue.map(({ topic }) => topic))]);
    expect(reads('notifications', 'payout_account.changed')).toBe(true);
    expect(reads('notifications', 'dispute.won')).toBe(false);
    expect(matches('payout.*', 'payout_account.changed')).toBe(false);
    expect(
      Object.keys(consumers).filter((name) => factEntry('ride.started')!.consumers.includes(name as never)),
    ).toEqual(['analytics', 'audit', 'notifications', 'tracks']);
  });

  test('skip what they have no use for, and what nobody knows, each for its reason', () => {
    const skip = skipReason('analytics');
    expect(skip({ type: 'ride.requested' })).toBeNull();
    expect(skip({ type: 'ride.driver_arrived' })).toBe('not_subscribed');
    expect(skip({ type: 'ride.teleported' })).toBe('unknown_type');
    expect(skipReason('audit')({ type: 'ride.teleported' })).toBe('unknown_type');
    const read = readerOf('analytics');
    expect(read({ type: 'ride.driver_arrived', data: 'whatever' })).toBeNull();
    expect(read({ type: 'ride.teleported', data: {} })).toBeNull();
    expect(() => read({ type: 'ride.cancelled', data: {} })).toThrow(FactInvalid);
  });
});

describe('a stored fact', () => {
  test.each(catalogue.map((entry) => [versionName(entry), entry] as const))(
    '%s is read as the newest version',
    (dataschema, entry) => {
      const read = knownFact({ type: entry.type, dataschema, data: readExample(examples, entry) });
      expect(factEntry(entry.type)!.schema.safeParse(read?.data)).toMatchObject({
        success: true,
        data: read?.data,
      });
    },
  );

  test('of an earlier version has what that lacks by the newest', () => {
    const read = knownFact({
      ...{ type: 'ride.requested', dataschema: 'ride.requested.v1' },
      data: readExample(examples, { type: 'ride.requested', version: 1 }),
    });
    expect(read?.data).toMatchObject({ stops: [], scheduledFor: null, product: 'standard' });
  });

  test('is held to the schema of its own version', () => {
    const data = readExample(examples, { type: 'ride.requested', version: 2 }) as object;
    const fact = { type: 'ride.requested', data: { ...data, product: 'courier' } };
    expect(knownFact({ ...fact, dataschema: 'ride.requested.v2' })).not.toBeNull();
    expect(knownFact(fact)).not.toBeNull();
    expect(() => knownFact({ ...fact, dataschema: 'ride.requested.v1' })).toThrow(
      /ride\.requested\.v1: .*product/s,
    );
    expect(() => knownFact({ ...fact, dataschema: 'ride.requested.v3' })).toThrow(
      'ride.requested.v3 is not known here, ride.requested.v1 and ride.requested.v2 are',
    );
  });
});

describe('a fact that is written', () => {
  const at = '2026-11-22T17:00:00.000Z';

  test('has its topic and version, once its schema takes it', () => {
    const fact = {
      type: 'quote.issued',
      at,
      data: readExample(examples, { type: 'quote.issued', version: 2 }) as object,
    };
    expect(writtenFact(fact, 'eu.')).toEqual({ fact, topic: 'eu.pricing', schemaVersion: 2 });
  });

  test('is refused where its schema would not have it', () => {
    expect(() => writtenFact({ type: 'driver.went_online', at, data: { driverId: '' } }, '')).toThrow(
      FactInvalid,
    );
    expect(() => writtenFact({ type: 'driver.vanished', at, data: {} }, '')).toThrow('not in the catalogue');
  });
});
