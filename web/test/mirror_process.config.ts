/** Builds the client for end-to-end tests; Vite's own file builds the library. */
import { defineConfig } from 'vite';

export default defineConfig({
  build: { ssr: 'test/mirror_process.ts', target: 'node20', outDir: 'dist', emptyOutDir: false },
});
