/** Fails when the built package would not work for a host: its exports, its types, and what either of them asks a host to have. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** All that a host has. */
const HOSTS = /^(\.{1,2}\/|react$|react\/|react-dom$|react-dom\/)/;
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)(["'])([^"'\n]+)\1/g;

const files = (folder, end) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(end)).map((name) => join(folder, name));

/** Examples in the comments of what is inside import what they like. */
const withoutComments = (code) => code.replaceAll(/^\s*(\/?\*|\/\/).*$/gm, '');

const foreign = [...files('dist/types', '.d.ts'), ...files('dist/lib', '.js')].flatMap((file) =>
  [...withoutComments(readFileSync(file, 'utf8')).matchAll(IMPORT)].filter(([, , name]) => !HOSTS.test(name) && /^[@\w][\w./@-]*$/.test(name)).map(([, , name]) => `${file} imports ${name}, which hosts do not have`),
);
const head = readFileSync('dist/lib/index.js', 'utf8').slice(0, 20);
if (!/^["']use client["'];/.test(head)) foreign.push("dist/lib/index.js does not begin with 'use client'");
if (foreign.length > 0) throw new Error(foreign.join('\n'));

const run = (script, ...options) => execFileSync(process.execPath, [script, ...options], { stdio: 'inherit' });
run('node_modules/publint/src/cli.js', 'run', '.', '--strict');
run('node_modules/@arethetypeswrong/cli/dist/index.js', '--pack', '.', '--profile', 'esm-only', '--exclude-entrypoints', './styles.css');
