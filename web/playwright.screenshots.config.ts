/** `npm run screenshots`: takes the pictures in docs/images, on a fresh stack. */
import { defineConfig } from '@playwright/test';
import base from './playwright.config';

export default defineConfig(base, { testDir: 'screenshots', testMatch: '*.shots.ts' });
