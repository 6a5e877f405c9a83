// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Player, type Track } from '../../src/thread/player';

class Sound {
  static readonly all: Sound[] = [];
  currentTime = 0;
  playbackRate = 1;
  duration = 4;
  onplay: (() => void) | null = null;
  onpause: (() => void) | null = null;
  onerror: (() => void) | null = null;
  refusal: Error | null = null;
  readonly src: string;
  constructor(src: string) {
    this.src = src;
    Sound.all.push(this);
  }
  play() {
    if (this.refusal) return Promise.reject(this.refusal);
    this.onplay?.();
    return Promise.resolve();
  }
  pause() {
    this.onpause?.();
  }
  removeAttribute() {}
  load() {}
}

const trackOf = (key: string, link: Track['link']): Track => ({ key, conversationId: 1, name: 'Ana', durationMs: 4_000, link });
const named = (name: string) => Object.assign(new Error(name), { name });

beforeEach(() => {
  Sound.all.length = 0;
  vi.stubGlobal('Audio', Sound);
});
afterEach(() => vi.unstubAllGlobals());

describe('what plays recordings', () => {
  it('asks for another link where the last one did not work', async () => {
    const player = new Player();
    const asked: boolean[] = [];
    const track = trackOf('a', (isAnother) => {
      asked.push(isAnother);
      return Promise.resolve('https://files/a');
    });
    player.toggle(track);
    await vi.waitFor(() => expect(player.playing()?.state).toBe('playing'));
    Sound.all[0]?.onerror?.();
    expect(player.playing()?.state).toBe('failed');
    player.toggle(track);
    await vi.waitFor(() => expect(player.playing()?.state).toBe('playing'));
    expect(asked).toEqual([false, true]);
  });

  it('takes a pause before the first sound for a pause, and a refusal for a failure of that track alone', async () => {
    const player = new Player();
    player.toggle(trackOf('a', () => Promise.resolve('https://files/a')));
    await vi.waitFor(() => expect(player.playing()?.state).toBe('playing'));
    const [sound] = Sound.all;
    sound?.pause();
    if (sound) sound.refusal = named('AbortError');
    const track = player.playing()?.track;
    if (track) player.toggle(track);
    await Promise.resolve();
    await Promise.resolve();
    expect(player.playing()?.state).toBe('paused');
    if (sound) sound.refusal = named('NotAllowedError');
    if (track) player.toggle(track);
    await vi.waitFor(() => expect(player.playing()?.state).toBe('failed'));
    // Another one begins while the refusal of the first is on its way.
    player.toggle(trackOf('b', () => new Promise(() => {})));
    await Promise.resolve();
    expect(player.playing()).toMatchObject({ track: { key: 'b' }, state: 'loading' });
  });

  it('lets go of what was made for a file of this page', async () => {
    const revoke = vi.spyOn(URL, 'revokeObjectURL').mockImplementation(() => {});
    const player = new Player();
    player.toggle(trackOf('a', () => Promise.resolve('blob:here/1')));
    await vi.waitFor(() => expect(player.playing()?.state).toBe('playing'));
    player.stop();
    expect(revoke.mock.calls).toEqual([['blob:here/1']]);
  });
});
