import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('the types are those of openapi.yaml', { timeout: 60_000 }, () => {
  const check = ['node_modules/openapi-typescript/bin/cli.js', '../openapi.yaml', '--output', 'src/api/schema.d.ts', '--check'];
  const root = new URL('..', import.meta.url);
  expect(() => execFileSync(process.execPath, check, { cwd: root, stdio: 'pipe' }), 'npm run schema writes them').not.toThrow();
});
