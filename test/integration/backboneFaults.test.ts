import { chmodSync, mkdirSync } from 'node:fs';
import type { Found } from '../../tools/faults/backbone/found';
import { playStories, storyNames } from '../../tools/faults/backbone/play';
import { newDataDir } from '../support/wholeStack';

/** Each once; `npm run faults -- backbone` repeats them with other seeds. */
const seed = 1;
const found: Found[] = [];

beforeAll(async () => {
  const dataDir = newDataDir();
  mkdirSync(dataDir);
  chmodSync(dataDir, 0o711);
  await playStories(dataDir, seed, (one) => void found.push(one));
}, 600_000);

test.each(storyNames)('%s: work goes on by itself, and nothing is lost, doubled or out of order', (name) => {
  expect(found.filter(({ what }) => what === name).map(({ wrong }) => wrong)).toEqual([[]]);
});
