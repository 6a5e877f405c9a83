/** How much JavaScript is fetched before anything is shown, compressed: of the built page, and of the component in a host's page. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

/** In kilobytes of 1,000 bytes, and what they may be at most. React counts for the page, and not for the component, whose host has it. */
export const TARGETS = { page: 180, component: 120 };

const sizeOf = (codes) => codes.reduce((sum, code) => sum + gzipSync(code, { level: 9 }).length, 0) / 1000;

/** What the page's HTML names, and what that imports at once. */
export function pageSize() {
  const html = readFileSync('dist/page/index.html', 'utf8');
  const known = new Map();
  const add = (name) => {
    if (known.has(name)) return;
    const code = readFileSync(`dist/page/assets/${name}`, 'utf8');
    known.set(name, code);
    // Minified: an import that waits for nothing is `import…"./name.js"`, one that is made later is `import("./name.js")`.
    for (const [, other] of code.matchAll(/(?:^|[;}])\s*(?:import|export)(?:[^"'();]*from)?\s*["']\.\/([^"']+\.js)["']/g)) add(other);
  };
  const named = [...html.matchAll(/(?:src|href)="\/assets\/([^"]+\.js)"/g)].map(([, name]) => name);
  if (named.length === 0) throw new Error('dist/page/index.html has no script: build the page first');
  for (const name of named) add(name);
  return sizeOf([...known.values()]);
}

/** All that the package exports, as the bundler of a host makes it smaller. */
export async function componentSize() {
  const made = await build({
    configFile: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rollupOptions: { input: 'dist/lib/index.js', external: [/^react(-dom)?(\/|$)/], preserveEntrySignatures: 'strict', onwarn: () => {} },
    },
  });
  const chunks = new Map(made.output.filter(({ type }) => type === 'chunk').map((chunk) => [chunk.fileName, chunk]));
  const known = new Map();
  const add = (name) => {
    const chunk = chunks.get(name);
    if (!chunk || known.has(name)) return;
    known.set(name, chunk.code);
    chunk.imports.forEach(add);
  };
  for (const { fileName, isEntry } of chunks.values()) if (isEntry) add(fileName);
  return sizeOf([...known.values()]);
}
