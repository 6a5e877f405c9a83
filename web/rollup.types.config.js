/** The package's types in two files: what stands behind the public ones stays out, and with it the types of packages that a host does not have. */
import { dts } from 'rollup-plugin-dts';

export default {
  input: { index: 'src/index.ts', core: 'src/core/index.ts' },
  output: { dir: 'dist/types', format: 'es', chunkFileNames: 'shared.d.ts' },
  external: [/^react(-dom)?(\/|$)/, /\.css$/],
  plugins: [dts({ tsconfig: 'tsconfig.types.json' })],
};
