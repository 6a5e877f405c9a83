/** The package: React is the host's, everything else is inside. */
import { defineConfig } from 'vite';
import { plugins } from './vite.shared';

export default defineConfig({
  publicDir: false,
  plugins: plugins(),
  // A host without a bundler has no `process`.
  define: { 'process.env.NODE_ENV': '"production"' },
  build: {
    target: 'es2022',
    sourcemap: true,
    outDir: 'dist/lib',
    cssCodeSplit: false,
    lib: { entry: { index: 'src/index.ts', core: 'src/core/index.ts' }, formats: ['es'], cssFileName: 'styles' },
    rollupOptions: {
      external: [/^react(-dom)?(\/|$)/],
      output: {
        // Frameworks that draw on a server need to be told what is for browsers.
        banner: (chunk) => (chunk.isEntry && chunk.name === 'index' ? "'use client';" : ''),
        chunkFileNames: 'chunks/[name]-[hash].js',
      },
    },
  },
});
