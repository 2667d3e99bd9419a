import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../tools/stack/places';

const inRoot = (path: string): string => join(projectRoot(), path);

const owners = ['services', 'consumers'].flatMap((kind) =>
  readdirSync(inRoot(kind)).map((name) => `${kind}/${name}/migrations`),
);
const folders = [
  'platform/migrations',
  'platform/migrations-inbox',
  'platform/migrations-keys',
  ...owners,
].filter((folder) => existsSync(inRoot(folder)));

/** Was handed out as a second 0013, and databases have run it by that name. */
const fourteenth = '0013_reconciled.sql';

test.each(folders)('%s: each migration has the next number', (folder) => {
  const files = readdirSync(inRoot(folder)).sort();
  expect(files).not.toEqual([]);
  for (const [i, file] of files.entries()) {
    if (file === fourteenth) expect(i).toBe(13);
    else expect(file).toMatch(new RegExp(`^${String(i + 1).padStart(4, '0')}_\\w+\\.sql$`));
  }
});
