import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../platform/config';
import { startBrowser } from './browser';
import { takeTestParts } from './stack/parts';
import { projectRoot } from './stack/places';
import { createSay } from './stack/say';

/** The README's pictures have this size. */
const viewport = { width: 1_280, height: 800 };
/** A machine that is busy with a city takes its time. */
const PATIENCE_MS = 180_000;
/** Time for the first demand, rides and lag. */
const LOOK_MS = 8_000;

/** `npm run picture`: takes docs/map.png anew, of the map of the Hailway that runs on this machine. */
async function main(): Promise<void> {
  const { HAILWAY_CONSOLE_PORT: port } = loadConfig(process.env, ['HAILWAY_CONSOLE_PORT']);
  const { chromium } = await takeTestParts({ env: process.env, say: createSay(process.stderr) });
  const browser = await startBrowser(chromium);
  try {
    const page = await browser.newPage({ viewport });
    await page.goto(`http://127.0.0.1:${port}/map`);
    await page.locator('#rides button').first().waitFor({ timeout: PATIENCE_MS });
    await page.waitForTimeout(LOOK_MS);
    const file = join(projectRoot(), 'docs', 'map.png');
    writeFileSync(file, await page.screenshot({ timeout: PATIENCE_MS }));
    process.stdout.write(`wrote ${file}\n`);
  } finally {
    await browser.close();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
