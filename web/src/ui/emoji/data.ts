/** Emoji with their names, out of files of our own: no other server learns who picks one. */
import type { EmojiData, SkinTone } from 'frimousse';

/** As much of Emojibase's data as is read here. */
interface Emoji {
  readonly emoji: string;
  readonly label: string;
  readonly version: number;
  readonly group?: number;
  readonly subgroup?: number;
  readonly tags?: readonly string[];
  readonly skins?: readonly { readonly emoji: string; readonly tone?: number | readonly number[] }[];
}

interface Names {
  readonly groups: readonly { readonly key: string; readonly message: string; readonly order: number }[];
  readonly subgroups: readonly { readonly key: string; readonly order: number }[];
  readonly skinTones: readonly { readonly key: string; readonly message: string }[];
}

/** Each language is loaded when it is shown; Emojibase has no Arabic. */
const LANGUAGES = {
  en: () => Promise.all([import('emojibase-data/en/data.json'), import('emojibase-data/en/messages.json')]),
  pt: () => Promise.all([import('emojibase-data/pt/data.json'), import('emojibase-data/pt/messages.json')]),
  es: () => Promise.all([import('emojibase-data/es/data.json'), import('emojibase-data/es/messages.json')]),
};

/** Of the resolver of the picker. */
export async function loadEmoji(locale: string): Promise<EmojiData> {
  const language = (locale.toLowerCase().split('-')[0] ?? '') as keyof typeof LANGUAGES;
  const [emojis, names] = await (LANGUAGES[language] ?? LANGUAGES.en)();
  const list: readonly Emoji[] = emojis.default;
  return toEmojiData(locale, list, names.default, { version: newestShown(list), countryFlags: isShown('🇪🇺') });
}

const TONES: readonly Exclude<SkinTone, 'none'>[] = ['light', 'medium-light', 'medium', 'medium-dark', 'dark'];

/** Emojibase's data in the picker's form, without what this device would show as an empty box. */
export function toEmojiData(locale: string, emojis: readonly Emoji[], names: Names, shown: { version: number; countryFlags: boolean }): EmojiData {
  const flags = new Set(names.subgroups.filter(({ key }) => key === 'country-flag' || key === 'subdivision-flag').map(({ order }) => order));
  const component = names.groups.find(({ key }) => key === 'component')?.order;
  return {
    locale,
    categories: names.groups.filter(({ order }) => order !== component).map(({ order, message }) => ({ index: order, label: capital(message) })),
    skinTones: Object.fromEntries(names.skinTones.map(({ key, message }) => [key, capital(message)])) as EmojiData['skinTones'],
    emojis: emojis.flatMap(({ emoji, label, version, group, subgroup, tags, skins }) => {
      const isFlag = subgroup !== undefined && flags.has(subgroup);
      if (group === undefined || group === component || version > shown.version || (isFlag && !shown.countryFlags)) return [];
      const tones = (skins ?? []).flatMap(({ emoji, tone }) => (typeof tone === 'number' && TONES[tone - 1] ? [[TONES[tone - 1], emoji]] : []));
      return [
        {
          emoji,
          category: group,
          label: capital(label),
          version,
          tags: [...(tags ?? [])],
          ...(isFlag && { countryFlag: true as const }),
          ...(tones.length > 0 && { skins: Object.fromEntries(tones) as Record<Exclude<SkinTone, 'none'>, string> }),
        },
      ];
    }),
  };
}

function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

/** The newest version of Unicode's emoji of which this device has pictures: one of each version is tried. */
function newestShown(emojis: readonly Emoji[]): number {
  const samples = new Map<number, string>();
  for (const { version, emoji, group } of emojis) if (group !== undefined && !samples.has(version)) samples.set(version, emoji);
  const versions = [...samples.keys()].sort((a, b) => b - a);
  return versions.find((version) => isShown(samples.get(version) ?? '')) ?? versions.at(-1) ?? 0;
}

const FONT = "'Apple Color Emoji', 'Noto Color Emoji', 'Segoe UI Emoji', sans-serif";

/** Whether an emoji has a picture of its own, which keeps its colours whatever colour text has. */
function isShown(emoji: string): boolean {
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  if (!context) return false;
  context.font = `16px ${FONT}`;
  context.textBaseline = 'top';
  // Two pictures where there should be one are the parts of what is not known.
  if (context.measureText(emoji).width > 30) return false;
  const pixels = (color: string) => {
    context.clearRect(0, 0, 24, 24);
    context.fillStyle = color;
    context.fillText(emoji, 0, 0);
    return context.getImageData(0, 0, 24, 24).data;
  };
  const [blue, red] = [pixels('#00f'), pixels('#f00')];
  return blue.some((value) => value !== 0) && blue.every((value, at) => value === red[at]);
}
