import type { LinguiConfig } from '@lingui/conf';
import { formatter } from '@lingui/format-po';

export default {
  sourceLocale: 'en',
  locales: ['en', 'pt', 'es', 'ar'],
  // `scripts/check_texts.mjs` extracts into a folder of its own.
  catalogs: [{ path: `${process.env['TEXTS_FOLDER'] ?? 'src/i18n/locales'}/{locale}`, include: ['src'] }],
  format: formatter({ lineNumbers: false, origins: false }),
} satisfies LinguiConfig;
