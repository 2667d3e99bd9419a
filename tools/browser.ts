import { chromium, type Browser } from 'playwright-core';

/**
 * Offers nothing, asks nobody outside, and runs as root too. Where there is no graphics card its work is done in software,
 * by the process that would do it with one. With `--disable-gpu`, or nothing said, the page's main thread would wait for
 * each picture that WebGL has drawn, to read it back: 0.5 to 1.7 s for one of the map's on two cores, which no reader's
 * browser does.
 */
const args = [
  '--no-sandbox',
  '--use-angle=swiftshader',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts a real Chromium without a window. */
export const startBrowser = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, headless: true, args });
