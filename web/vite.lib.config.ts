/** The package: React is the host's, everything else is inside. */
import { defineConfig } from 'vite';
import { plugins } from './vite.shared';

export default defineConfig({
  publicDir: false,
  plugins: plugins(),
  build: {
    target: 'es2022',
    sourcemap: true,
    outDir: 'dist/lib',
    cssCodeSplit: false,
    lib: { entry: { index: 'src/index.ts', core: 'src/core/index.ts' }, formats: ['es'], cssFileName: 'styles' },
    rollupOptions: { external: [/^react(-dom)?(\/|$)/] },
  },
});
