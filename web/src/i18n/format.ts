/** Times, lengths and sizes in the agent's language and time zone. */
import { createContext, use } from 'react';
import { useUi } from '../ui/context';
import { directionOf, formatTag } from './i18n';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface Format {
  /** `14:05` */
  time(at: string | number | Date): string;
  /** `Today`, `Yesterday`, a weekday within the last week, else the date. */
  day(at: string | number | Date, now: number): string;
  /** The time of today's, `Yesterday`, a weekday, or a short date: what a list shows. */
  short(at: string | number | Date, now: number): string;
  /** Date and time in full. */
  full(at: string | number | Date): string;
  /** `3h 20m`, `12m`: what is left of something. */
  left(milliseconds: number): string;
  /** `1:05` of a recording. */
  duration(milliseconds: number): string;
  /** `1.2 MB` */
  bytes(size: number): string;
  number(value: number): string;
  /** Things side by side, with the language's comma. */
  joined(parts: readonly string[]): string;
  /** `Yesterday, 14:05` */
  moment(at: string | number | Date, now: number): string;
  /** Equal for two times of the same day. */
  dayKey(at: string | number | Date): string;
}

export function createFormat(language: string, timeZone: string | undefined): Format {
  const locale = formatTag(language);
  const zone = timeZone === undefined ? {} : { timeZone };
  const time = once(() => new Intl.DateTimeFormat(locale, { timeStyle: 'short', ...zone }));
  const weekday = once(() => new Intl.DateTimeFormat(locale, { weekday: 'long', ...zone }));
  const date = once(() => new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric', ...zone }));
  const shortDate = once(() => new Intl.DateTimeFormat(locale, { dateStyle: 'short', ...zone }));
  const full = once(() => new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short', ...zone }));
  const key = once(() => new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit', ...zone }));
  const relative = once(() => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }));
  const number = once(() => new Intl.NumberFormat(locale));
  const unit = (name: string, digits: number) =>
    once(() => new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: digits }));
  const narrow = (name: string) => once(() => new Intl.NumberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'narrow' }));
  const hours = narrow('hour');
  const minutes = narrow('minute');
  const units = [unit('byte', 0), unit('kilobyte', 0), unit('megabyte', 1), unit('gigabyte', 1)] as const;
  const two = once(() => new Intl.NumberFormat(locale, { minimumIntegerDigits: 2 }));
  const dayKey = (at: string | number | Date) => key().format(new Date(at));
  const daysAgo = (at: string | number | Date, now: number) =>
    Math.round((Date.parse(dayKey(now)) - Date.parse(dayKey(at))) / DAY);
  const joined = (parts: readonly string[]) => parts.join(directionOf(language) === 'rtl' ? '، ' : ', ');
  const capital = (text: string) => text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
  const day: Format['day'] = (at, now) => {
    const days = daysAgo(at, now);
    if (days === 0 || days === 1) return capital(relative().format(-days, 'day'));
    return days > 1 && days < 7 ? capital(weekday().format(new Date(at))) : date().format(new Date(at));
  };
  return {
    time: (at) => time().format(new Date(at)),
    day,
    joined,
    moment: (at, now) => joined([day(at, now), time().format(new Date(at))]),
    short(at, now) {
      const days = daysAgo(at, now);
      if (days <= 0) return time().format(new Date(at));
      if (days === 1) return capital(relative().format(-1, 'day'));
      return days < 7 ? capital(weekday().format(new Date(at))) : shortDate().format(new Date(at));
    },
    full: (at) => full().format(new Date(at)),
    left(milliseconds) {
      const rest = Math.max(0, Math.floor(milliseconds / MINUTE));
      const [h, m] = [Math.floor(rest / 60), rest % 60];
      if (h === 0) return minutes().format(m);
      return m === 0 ? hours().format(h) : `${hours().format(h)} ${minutes().format(m)}`;
    },
    duration(milliseconds) {
      const seconds = Math.round(milliseconds / 1000);
      return `${number().format(Math.floor(seconds / 60))}:${two().format(seconds % 60)}`;
    },
    bytes(size) {
      let value = size;
      let index = 0;
      while (value >= 1000 && index < units.length - 1) {
        value /= 1000;
        index += 1;
      }
      return (units[index] ?? units[0])().format(value);
    },
    number: (value) => number().format(value),
    dayKey,
  };
}

/** Each of the browser's own takes a millisecond or two to make: a list needs but a few of them. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** Each row of a list asks for one. */
const made = new Map<string, Format>();

export function formatOf(locale: string, timeZone: string | undefined): Format {
  const key = `${locale} ${timeZone ?? ''}`;
  const format = made.get(key) ?? createFormat(locale, timeZone);
  made.set(key, format);
  return format;
}

/** Of its own, so that a row that shows a time is not drawn anew when another conversation is opened. */
export const FormatContext = createContext<Format | null>(null);

export function useFormat(): Format {
  const format = use(FormatContext);
  if (format) return format;
  const { locale, timeZone } = useUi();
  return formatOf(locale, timeZone);
}
