import type { Browser, Page } from 'playwright-core';
import { startBrowser } from '../../tools/browser';
import { fromSetup } from './fromSetup';

/** A real Chromium without a window for a test file, closed at its end. */
export function browserForFile(): { page(): Promise<Page> } {
  let browser: Browser | undefined;
  beforeAll(async () => {
    browser = await startBrowser(fromSetup('HAILWAY_CHROMIUM'));
  }, 60_000);
  afterAll(() => browser?.close());
  return { page: () => browser!.newPage({ viewport: { width: 1_400, height: 1_000 } }) };
}
