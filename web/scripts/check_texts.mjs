/** Fails when the catalogs are not what the sources say, or a language lacks a text. `npm run texts` brings them up to date. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const COMMITTED = 'src/i18n/locales';
const fresh = join('node_modules', '.cache', `texts-${process.pid}`);
const problems = [];

/** The texts of a catalog that have no translation; an entry is a paragraph of the file, its first one is the head. */
function missing(catalog) {
  const entries = catalog.split('\n\n').slice(1);
  return entries.filter((entry) => /^msgstr ""$(?!\n")/m.test(entry)).map((entry) => /^msgid (.*(?:\n".*)*)/m.exec(entry)?.[1] ?? entry);
}

/** Without the head, whose dates and versions say nothing about texts. */
const textsOf = (catalog) => catalog.split('\n\n').slice(1).join('\n\n').trim();

try {
  mkdirSync(fresh, { recursive: true });
  cpSync(COMMITTED, fresh, { recursive: true });
  execFileSync(process.execPath, ['node_modules/@lingui/cli/dist/lingui.js', 'extract', '--clean'], {
    env: { ...process.env, TEXTS_FOLDER: fresh },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (const file of readdirSync(COMMITTED).filter((name) => name.endsWith('.po'))) {
    const committed = readFileSync(join(COMMITTED, file), 'utf8');
    if (textsOf(committed) !== textsOf(readFileSync(join(fresh, file), 'utf8'))) problems.push(`${join(COMMITTED, file)} is not up to date: npm run texts`);
    const lacking = missing(committed);
    if (lacking.length > 0) problems.push(`${join(COMMITTED, file)} lacks ${lacking.length} texts, such as ${lacking[0]}`);
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
