/** End-to-end tests of the page, in the system's Chromium, against a running stack. */
import { defineConfig } from '@playwright/test';
import { chromiumPath, signedIn, webUrl } from './e2e/support';

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  // One stack, two cores: one after the other.
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  // All of them together, in CI.
  globalTimeout: 45 * 60_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    baseURL: webUrl,
    // Tests begin as the demo agent.
    storageState: signedIn(),
    trace: 'off',
    // What cannot be pressed says so, instead of using up the test's time.
    actionTimeout: 15_000,
    locale: 'en-GB',
    timezoneId: 'Europe/Lisbon',
    viewport: { width: 1280, height: 800 },
    permissions: ['notifications', 'clipboard-read', 'clipboard-write', 'microphone'],
    launchOptions: {
      executablePath: chromiumPath(),
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'],
    },
  },
});
