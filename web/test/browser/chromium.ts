/** The system's Chromium. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts the Chromium of the environment's `CHROMIUM`, or of the usual places. */
export function launch(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] || PLACES.find((file) => existsSync(file));
  if (!executablePath) throw new Error('Chromium is missing: install it (Debian: apt-get install chromium), or name it in CHROMIUM');
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}
