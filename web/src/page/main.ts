/** The page by itself: `dist/page`. What it begins with is asked for while the rest of its script is still fetched and read. */
import { loadTexts, closestLocale } from '../i18n/i18n';
import '../styles.css';
import './page.css';
import { localeTag, preferences } from './preferences';
import { start } from './start';

/** What is there by then is drawn at once; for all else there is a sign that the page starts. */
const LONGEST_MS = 300;

async function main(root: HTMLElement): Promise<void> {
  const ready = start();
  const texts = loadTexts(closestLocale(localeTag(preferences.get().locale)));
  const drawable = Promise.all([ready, texts]).then(([ready]) => ready).catch(() => null);
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), LONGEST_MS));
  const [{ show }, first] = await Promise.all([import('./app'), Promise.race([drawable, late])]);
  show(root, ready, first);
}

const root = document.getElementById('root');
if (root) void main(root);
