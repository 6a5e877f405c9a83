// @vitest-environment happy-dom
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULTS, isAudible, parseSettings, SettingsStore, settingsKey, tomorrowMorning } from '../../src/around/settings';

describe('settings', () => {
  beforeEach(() => localStorage.clear());

  it('are the defaults before anything was set', () => {
    expect(parseSettings(null)).toEqual(DEFAULTS);
  });

  it('are read whatever stands there, and always of use', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.record({ volume: fc.anything(), sound: fc.anything(), silentNumbers: fc.anything(), mutedUntil: fc.anything() }).map((value) => JSON.stringify(value))), (text) => {
        const settings = parseSettings(text);
        expect(settings.volume).toBeGreaterThanOrEqual(0);
        expect(settings.volume).toBeLessThanOrEqual(1);
        expect(['chime', 'drop', 'wood']).toContain(settings.sound);
        expect(settings.silentNumbers.every((id) => typeof id === 'string')).toBe(true);
        expect(settings.mutedUntil === null || Number.isFinite(settings.mutedUntil)).toBe(true);
      }),
    );
  });

  it('are gone after a sign-out', () => {
    const ada = new SettingsStore();
    ada.open('ada');
    ada.change({ silentNumbers: ['5'] });
    ada.forget();
    expect([ada.value, localStorage.getItem(settingsKey('ada'))]).toEqual([DEFAULTS, null]);
  });

  it('are kept for each user apart', () => {
    const ada = new SettingsStore();
    ada.open('ada');
    ada.change({ sound: 'wood' });
    const again = new SettingsStore();
    again.open('ada');
    const bob = new SettingsStore();
    bob.open('bob');
    expect(again.value.sound).toBe('wood');
    expect(bob.value.sound).toBe('chime');
  });

  it('reach another inbox on the same page, and other tabs', () => {
    const one = new SettingsStore();
    const other = new SettingsStore();
    one.open('ada');
    other.open('ada');
    one.change({ shortcuts: false });
    expect(other.value.shortcuts).toBe(false);
    localStorage.setItem(settingsKey('ada'), JSON.stringify({ sounds: false }));
    dispatchEvent(new StorageEvent('storage', { key: settingsKey('ada') }));
    expect(one.value.sounds).toBe(false);
  });

  it('are followed no more once they are closed', () => {
    const store = new SettingsStore();
    const close = store.open('ada');
    close();
    localStorage.setItem(settingsKey('ada'), JSON.stringify({ sounds: false }));
    dispatchEvent(new StorageEvent('storage', { key: settingsKey('ada') }));
    expect(store.value.sounds).toBe(true);
  });
});

describe('sounds', () => {
  const now = Date.parse('2026-11-20T22:30:00Z');

  it('are heard unless they are off, muted, or silent for a number', () => {
    expect(isAudible(DEFAULTS, '5', now)).toBe(true);
    expect(isAudible({ ...DEFAULTS, sounds: false }, '5', now)).toBe(false);
    expect(isAudible({ ...DEFAULTS, volume: 0 }, '5', now)).toBe(false);
    expect(isAudible({ ...DEFAULTS, silentNumbers: ['5'] }, '5', now)).toBe(false);
    expect(isAudible({ ...DEFAULTS, silentNumbers: ['5'] }, '6', now)).toBe(true);
  });

  it('come back when the mute is over', () => {
    const muted = { ...DEFAULTS, mutedUntil: now + 1 };
    expect(isAudible(muted, '5', now)).toBe(false);
    expect(isAudible(muted, '5', now + 1)).toBe(true);
  });

  it('muted until tomorrow begin on the next morning', () => {
    const morning = new Date(tomorrowMorning(now));
    expect(morning.getHours()).toBe(7);
    expect(morning.getDate()).toBe(new Date(now + 86_400_000).getDate());
  });
});
