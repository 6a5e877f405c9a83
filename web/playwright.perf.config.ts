/** `npm run perf`: measures the page. */
import { defineConfig } from '@playwright/test';
import base from './playwright.config';

export default defineConfig(base, { testDir: 'perf', testMatch: '*.perf.ts', reporter: 'line', globalTimeout: 40 * 60_000, use: { actionTimeout: 30_000 } });
