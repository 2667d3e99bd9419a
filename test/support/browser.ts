import { chromium, type Browser, type Page } from 'playwright-core';
import { fromSetup } from './fromSetup';

/** Offers nothing, asks nobody outside, and runs as root too. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A real Chromium without a window for a test file, closed at its end. */
export function browserForFile(): { page(): Promise<Page> } {
  let browser: Browser | undefined;
  beforeAll(async () => {
    const executablePath = fromSetup('HAILWAY_CHROMIUM');
    browser = await chromium.launch({ executablePath, headless: true, args });
  }, 60_000);
  afterAll(() => browser?.close());
  return { page: () => browser!.newPage({ viewport: { width: 1_400, height: 1_000 } }) };
}
