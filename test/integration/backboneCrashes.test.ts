import { chmodSync, mkdirSync } from 'node:fs';
import { cells, inWords, type Cell, type Way } from '../../tools/faults/backbone/cells';
import type { Found } from '../../tools/faults/backbone/found';
import { playCrashes } from '../../tools/faults/backbone/sweep';
import { showing, wrongWays, type WrongWay } from '../../tools/faults/backbone/wrong/ways';
import { newDataDir, prepareProcesses } from '../support/wholeStack';

/** Each point once killed and once stopped; `npm run faults -- backbone` cuts off, too, and repeats with other seeds. */
const seed = 1;
const ofWay = (way: Way): Cell[] => cells.filter((cell) => cell.way === way);
/** Those that take longest begin. */
const hit = [...ofWay('stop'), ...ofWay('kill')];
const found: Found[] = [];

beforeAll(async () => {
  await prepareProcesses();
  const dataDir = newDataDir();
  mkdirSync(dataDir);
  chmodSync(dataDir, 0o711);
  const hits = hit.map((cell) => ({ cell, seed }));
  await playCrashes(dataDir, hits, seed, (one) => void found.push(one));
}, 600_000);

const of = (name: string) => found.find(({ what }) => what === name)?.wrong;

test.each(hit.map(inWords))('%s: nothing is lost, doubled or out of order', (what) => {
  expect(of(what)).toEqual([]);
});

test.each(Object.keys(wrongWays) as WrongWay[])('the judge finds: %s', (way) => {
  expect(showing(way, of(way) ?? []).found).not.toEqual([]);
});
