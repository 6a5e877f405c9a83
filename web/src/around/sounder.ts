/** Sounds of a new message, made here: no file to load, and quiet enough for a day of them. */
import type { SoundName } from './settings';

/** A tone that fades: `to` is where its pitch glides to. Seconds and hertz. */
interface Tone {
  readonly at: number;
  readonly lasts: number;
  readonly pitch: number;
  readonly to?: number;
  readonly type: OscillatorType;
  readonly loudness: number;
}

const TONES: Readonly<Record<SoundName, readonly Tone[]>> = {
  chime: [
    { at: 0, lasts: 0.5, pitch: 659.3, type: 'sine', loudness: 0.5 },
    { at: 0.11, lasts: 0.7, pitch: 987.8, type: 'sine', loudness: 0.4 },
    { at: 0.11, lasts: 0.35, pitch: 1975.5, type: 'sine', loudness: 0.06 },
  ],
  drop: [
    { at: 0, lasts: 0.16, pitch: 420, to: 860, type: 'sine', loudness: 0.55 },
    { at: 0.15, lasts: 0.2, pitch: 520, to: 1040, type: 'sine', loudness: 0.35 },
  ],
  wood: [
    { at: 0, lasts: 0.13, pitch: 740, to: 700, type: 'triangle', loudness: 0.6 },
    { at: 0.14, lasts: 0.18, pitch: 554, to: 530, type: 'triangle', loudness: 0.5 },
  ],
};

/** How long a browser may take to let the sound through before it counts as blocked. */
const RESUME_MS = 500;

export class Sounder {
  #context: AudioContext | null = null;
  /** Set while something sounds, so that the device is let go only after the last. */
  #sounding = 0;

  /** To be called while the user clicks or types: browsers let a page sound from then on. */
  unlock(): void {
    if (this.#context || typeof AudioContext === 'undefined') return;
    this.#context = new AudioContext();
    void this.#context.resume().then(() => this.#rest());
  }

  /** Whether the browser lets this page sound; where that cannot be known, the attempt will tell. */
  get isAllowed(): boolean {
    return this.#context !== null || (navigator.userActivation?.hasBeenActive ?? false);
  }

  /** Whether it sounded: false where the browser blocks it. */
  async play(name: SoundName, volume: number): Promise<boolean> {
    if (typeof AudioContext === 'undefined' || !this.isAllowed) return false;
    const context = (this.#context ??= new AudioContext());
    if (context.state !== 'running') {
      let forget: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((resolve) => (forget = setTimeout(resolve, RESUME_MS)));
      await Promise.race([context.resume().catch(() => {}), late]);
      clearTimeout(forget);
    }
    // What it is now, not what was read above.
    if ((context.state as AudioContextState) !== 'running') return false;
    this.#sounding += 1;
    const last = TONES[name].map((tone) => start(context, tone, volume)).at(-1);
    const ended = () => {
      this.#sounding -= 1;
      this.#rest();
    };
    if (last) last.onended = ended;
    else ended();
    return true;
  }

  close(): void {
    void this.#context?.close();
    this.#context = null;
    this.#sounding = 0;
  }

  /** A context that runs keeps the computer's sound device awake. */
  #rest(): void {
    if (this.#sounding === 0 && this.#context?.state === 'running') void this.#context.suspend();
  }
}

function start(context: AudioContext, { at, lasts, pitch, to = pitch, type, loudness }: Tone, volume: number): OscillatorNode {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  const from = context.currentTime + 0.02 + at;
  oscillator.type = type;
  oscillator.frequency.setValueAtTime(pitch, from);
  oscillator.frequency.exponentialRampToValueAtTime(to, from + lasts);
  gain.gain.setValueAtTime(0.0001, from);
  // Ears hear loudness by its square, so a slider at half sounds like half.
  gain.gain.exponentialRampToValueAtTime(Math.max(0.0002, loudness * volume * volume), from + 0.012);
  gain.gain.exponentialRampToValueAtTime(0.0001, from + lasts);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(from);
  oscillator.stop(from + lasts + 0.02);
  return oscillator;
}
