/** The examples, built with the built package as a host would: `npm run build`, then `npx vite preview --config examples/vite.config.ts`. */
import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { stack } from '../vite.shared';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: at('.'),
  cacheDir: at('../node_modules/.vite-examples'),
  plugins: [react(), stack()],
  resolve: {
    alias: [
      { find: /^@waba-live-chat\/web$/, replacement: at('../dist/lib/index.js') },
      { find: /^@waba-live-chat\/web\/(?=styles\.css$)/, replacement: at('../dist/lib/') },
      { find: /^@waba-live-chat\/web\/core$/, replacement: at('../dist/lib/core.js') },
    ],
  },
  build: {
    target: 'es2022',
    outDir: at('../dist/examples'),
    emptyOutDir: true,
    chunkSizeWarningLimit: 1_000,
    rollupOptions: { input: { host: at('host/index.html'), parts: at('parts/index.html') } },
  },
});
