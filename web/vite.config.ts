/** The page, the library's parts in development, and the tests. */
import { defineConfig } from 'vitest/config';
import { plugins, preloaded, serviceWorker, stack } from './vite.shared';

export default defineConfig({
  publicDir: 'src/page/public',
  plugins: [...plugins(), stack(), serviceWorker(), preloaded('/src/page/app.tsx')],
  build: { target: 'es2022', sourcemap: true, outDir: 'dist/page' },
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    restoreMocks: true,
  },
});
