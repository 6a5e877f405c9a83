/** What an agent sets for themselves, kept in this browser under one key a user. */

export const SOUNDS = ['chime', 'drop', 'wood'] as const;
export type SoundName = (typeof SOUNDS)[number];

export interface Settings {
  readonly shortcuts: boolean;
  readonly sounds: boolean;
  readonly sound: SoundName;
  /** From 0 to 1. */
  readonly volume: number;
  /** The phone numbers whose messages make no sound. */
  readonly silentNumbers: readonly string[];
  /** No sound before this moment, in milliseconds since 1970. */
  readonly mutedUntil: number | null;
  /** Notifications of this computer while the page is not looked at. */
  readonly notify: boolean;
  /** Whether notifications show names and texts. */
  readonly showText: boolean;
}

export const DEFAULTS: Settings = {
  shortcuts: true,
  sounds: true,
  sound: 'chime',
  volume: 0.6,
  silentNumbers: [],
  mutedUntil: null,
  notify: false,
  showText: true,
};

/** What was kept, as far as it can be understood: an older release, or somebody's hand, may have written it. */
export function parseSettings(text: string | null): Settings {
  let kept: Record<string, unknown>;
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    kept = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    kept = {};
  }
  const flag = (name: 'shortcuts' | 'sounds' | 'notify' | 'showText') => (typeof kept[name] === 'boolean' ? kept[name] : DEFAULTS[name]);
  const { volume, mutedUntil, silentNumbers } = kept;
  return {
    shortcuts: flag('shortcuts'),
    sounds: flag('sounds'),
    sound: SOUNDS.find((name) => name === kept['sound']) ?? DEFAULTS.sound,
    volume: typeof volume === 'number' && volume >= 0 && volume <= 1 ? volume : DEFAULTS.volume,
    silentNumbers: Array.isArray(silentNumbers) ? silentNumbers.filter((id) => typeof id === 'string') : DEFAULTS.silentNumbers,
    mutedUntil: typeof mutedUntil === 'number' && Number.isFinite(mutedUntil) ? mutedUntil : null,
    notify: flag('notify'),
    showText: flag('showText'),
  };
}

export function settingsKey(user: string): string {
  return `${user} settings`;
}

/** Tells the other components of this page; a browser tells other tabs only. */
const samePage = new EventTarget();

/** The settings of one user: the defaults until it is known whose they are. */
export class SettingsStore {
  #value = DEFAULTS;
  #key: string | null = null;
  readonly #listeners = new Set<() => void>();

  get value(): Settings {
    return this.#value;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly change = (change: Partial<Settings>): void => {
    this.#tell({ ...this.#value, ...change });
    if (this.#key === null) return;
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#value));
    } catch {
      // Full, or forbidden: it holds as long as the page is open.
    }
    samePage.dispatchEvent(new Event(this.#key));
  };

  /** Deletes what was kept of this user; the defaults hold. */
  readonly forget = (): void => {
    this.#tell(DEFAULTS);
    if (this.#key === null) return;
    try {
      localStorage.removeItem(this.#key);
    } catch {
      // Then nothing was kept.
    }
    samePage.dispatchEvent(new Event(this.#key));
  };

  /** Reads what `user` set, and follows what other tabs set; what it returns ends that. */
  open(user: string): () => void {
    const key = settingsKey(user);
    this.#key = key;
    const read = () => {
      try {
        this.#tell(parseSettings(localStorage.getItem(key)));
      } catch {
        // Storage is forbidden: the defaults hold.
      }
    };
    const onStorage = (event: StorageEvent) => {
      if (event.key === key || event.key === null) read();
    };
    read();
    addEventListener('storage', onStorage);
    samePage.addEventListener(key, read);
    return () => {
      removeEventListener('storage', onStorage);
      samePage.removeEventListener(key, read);
    };
  }

  #tell(value: Settings): void {
    this.#value = value;
    for (const listener of this.#listeners) listener();
  }
}

/** Whether a message to this number may sound now. */
export function isAudible(settings: Settings, phoneNumberId: string | null, now: number): boolean {
  if (!settings.sounds || settings.volume === 0) return false;
  if (settings.mutedUntil !== null && now < settings.mutedUntil) return false;
  return phoneNumberId === null || !settings.silentNumbers.includes(phoneNumberId);
}

/** Seven in the morning of the next day, where the browser is. */
export function tomorrowMorning(now: number): number {
  const morning = new Date(now);
  morning.setDate(morning.getDate() + 1);
  morning.setHours(7, 0, 0, 0);
  return morning.getTime();
}
