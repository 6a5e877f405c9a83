import type { LinguiConfig } from '@lingui/conf';
import { formatter } from '@lingui/format-po';

export default {
  sourceLocale: 'en',
  locales: ['en', 'pt', 'es', 'ar'],
  catalogs: [{ path: 'src/i18n/locales/{locale}', include: ['src'] }],
  format: formatter({ lineNumbers: false, origins: false }),
} satisfies LinguiConfig;
