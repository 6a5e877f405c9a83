/** What plays recordings: one at a time, outside of the rows, so that it goes on while they scroll away or another conversation is opened. */

/** What can be played. */
export interface Track {
  /** The message's key. */
  readonly key: string;
  readonly conversationId: number;
  /** Whose recording it is. */
  readonly name: string;
  /** What is known of its length before it is loaded. */
  readonly durationMs: number | null;
  /** Where it is; asked each time it begins, because links end. `isAnother`: the last one did not work. */
  readonly link: (isAnother: boolean) => Promise<string>;
}

export interface Playing {
  readonly track: Track;
  readonly state: 'loading' | 'playing' | 'paused' | 'failed';
  readonly positionMs: number;
  readonly durationMs: number;
}

export const RATES = [1, 1.5, 2] as const;

export class Player {
  #audio: HTMLAudioElement | null = null;
  #playing: Playing | null = null;
  #rate = 1;
  /** Which beginning is the latest: links may arrive after another one was asked for. */
  #turn = 0;
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** What plays, or was paused; the same object until something changes. */
  readonly playing = (): Playing | null => this.#playing;
  readonly rate = (): number => this.#rate;

  /** Plays or pauses `track`; another one ends. */
  toggle(track: Track): void {
    const { state, track: current } = this.#playing ?? {};
    if (current?.key !== track.key || state === 'failed') void this.#begin(track, 0);
    else if (state === 'playing') this.#audio?.pause();
    else if (state === 'paused') void this.#play(this.#turn);
  }

  /** Goes to a place in `track`, which begins there if it does not play. */
  seek(track: Track, positionMs: number): void {
    const playing = this.#playing;
    if (playing?.track.key !== track.key || playing.state === 'failed') {
      void this.#begin(track, positionMs);
      return;
    }
    if (this.#audio) this.#audio.currentTime = positionMs / 1000;
    this.#tell({ ...playing, positionMs });
  }

  nextRate(): void {
    this.#rate = RATES[(RATES.indexOf(this.#rate as (typeof RATES)[number]) + 1) % RATES.length] ?? 1;
    if (this.#audio) this.#audio.playbackRate = this.#rate;
    this.#tell(this.#playing && { ...this.#playing });
  }

  stop(): void {
    this.#turn += 1;
    this.#drop();
    this.#tell(null);
  }

  async #begin(track: Track, positionMs: number): Promise<void> {
    const isAnother = this.#playing?.track.key === track.key && this.#playing.state === 'failed';
    this.#drop();
    const turn = (this.#turn += 1);
    this.#tell({ track, state: 'loading', positionMs, durationMs: track.durationMs ?? 0 });
    try {
      const link = await track.link(isAnother);
      if (turn !== this.#turn) return forgetLink(link);
      const audio = new Audio(link);
      audio.preload = 'auto';
      this.#audio = audio;
      this.#follow(audio, turn);
      audio.currentTime = positionMs / 1000;
      audio.playbackRate = this.#rate;
      await this.#play(turn);
    } catch {
      this.#fail(turn);
    }
  }

  async #play(turn: number): Promise<void> {
    try {
      await this.#audio?.play();
    } catch (error) {
      // Paused before it began is no failure.
      if ((error as Error).name === 'AbortError' && this.#playing?.state !== 'loading') return;
      this.#fail(turn);
    }
  }

  #follow(audio: HTMLAudioElement, turn: number): void {
    const update = (change: Partial<Playing>) => {
      if (turn === this.#turn && this.#playing) this.#tell({ ...this.#playing, ...change });
    };
    // A recording that is streamed has no length until its end.
    const length = () => (Number.isFinite(audio.duration) ? { durationMs: audio.duration * 1000 } : {});
    audio.onplay = () => update({ state: 'playing', ...length() });
    audio.onpause = () => update({ state: 'paused' });
    audio.ondurationchange = () => update(length());
    audio.ontimeupdate = () => update({ positionMs: audio.currentTime * 1000 });
    audio.onended = () => update({ state: 'paused', positionMs: 0 });
    audio.onerror = () => update({ state: 'failed' });
  }

  #fail(turn: number): void {
    if (turn === this.#turn && this.#playing) this.#tell({ ...this.#playing, state: 'failed' });
  }

  #drop(): void {
    const audio = this.#audio;
    this.#audio = null;
    if (!audio) return;
    audio.onplay = audio.onpause = audio.ondurationchange = audio.ontimeupdate = audio.onended = audio.onerror = null;
    audio.pause();
    forgetLink(audio.src);
    audio.removeAttribute('src');
    audio.load();
  }

  #tell(playing: Playing | null): void {
    this.#playing = playing;
    for (const listener of this.#listeners) listener();
  }
}

/** What was made for a file of this page would stay in memory. */
function forgetLink(link: string): void {
  if (link.startsWith('blob:')) URL.revokeObjectURL(link);
}
