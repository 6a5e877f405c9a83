import { useLingui } from '@lingui/react/macro';
import { Play, Volume1, Volume2 } from 'lucide-react';
import { useId, useState } from 'react';
import { usePhoneNumbers } from '../hooks/misc';
import { useFormat } from '../i18n/format';
import { Button } from '../ui/button';
import { cn } from '../ui/cn';
import { useHub, useSettings } from './hub';
import { type Settings, SOUNDS, type SoundName, tomorrowMorning } from './settings';
import { Switch } from './switch';

const HOUR_MS = 3_600_000;

export function SoundSettings() {
  const { t } = useLingui();
  const { sounder } = useHub();
  const [settings, change] = useSettings();
  const [isBlocked, setBlocked] = useState(false);
  const name = useId();
  const labels: Readonly<Record<SoundName, string>> = { chime: t`Chime`, drop: t`Drop`, wood: t`Wood` };
  const test = async (sound: SoundName, volume: number) => setBlocked(!(await sounder.play(sound, volume)));
  return (
    <>
      <Switch
        label={t`Play a sound when a customer writes`}
        hint={t`In one tab only, and not for the conversation that you are looking at.`}
        checked={settings.sounds}
        onChange={(sounds) => change({ sounds })}
      />
      {settings.sounds && (
        <>
          <div className="lc:flex lc:flex-wrap lc:items-center lc:gap-2">
            <div role="radiogroup" aria-label={t`Sound`} className="lc:flex lc:flex-wrap lc:gap-2">
              {SOUNDS.map((sound) => (
                <label
                  key={sound}
                  className={cn(
                    'lc:inline-flex lc:min-h-9 lc:cursor-pointer lc:items-center lc:rounded-lg lc:border lc:px-3 lc:hover:bg-hover lc:has-focus-visible:outline-2 lc:has-focus-visible:outline-offset-2 lc:has-focus-visible:outline-accent',
                    settings.sound === sound ? 'lc:border-accent lc:bg-selected lc:font-medium' : 'lc:border-field',
                  )}
                >
                  <input
                    type="radio"
                    name={name}
                    className="lc:sr-only"
                    checked={settings.sound === sound}
                    onChange={() => {
                      change({ sound });
                      void test(sound, settings.volume);
                    }}
                  />
                  {labels[sound]}
                </label>
              ))}
            </div>
            <Button tone="outline" className="lc:ms-auto" onClick={() => void test(settings.sound, settings.volume)}>
              <Play aria-hidden className="lc:size-4" />
              {t`Play it`}
            </Button>
          </div>
          <div className="lc:flex lc:min-h-10 lc:items-center lc:gap-3">
            <Volume1 aria-hidden className="lc:size-5 lc:shrink-0 lc:text-soft lc:rtl:-scale-x-100" />
            <input
              type="range"
              aria-label={t`Volume`}
              min={0.05}
              max={1}
              step={0.05}
              value={settings.volume}
              onChange={(event) => change({ volume: event.target.valueAsNumber })}
              className="lc:h-6 lc:min-w-0 lc:grow lc:cursor-pointer lc:accent-accent"
            />
            <Volume2 aria-hidden className="lc:size-5 lc:shrink-0 lc:text-soft lc:rtl:-scale-x-100" />
          </div>
          <p role="status" className="lc:text-xs lc:text-soft">
            {isBlocked
              ? t`Your browser keeps this page silent. Allow sound in the site settings beside the address.`
              : t`After loading, browsers stay silent until you click into the page once.`}
          </p>
          <Mute settings={settings} change={change} />
          <Numbers settings={settings} change={change} />
        </>
      )}
    </>
  );
}

interface Props {
  settings: Settings;
  change: (change: Partial<Settings>) => void;
}

function Mute({ settings: { mutedUntil }, change }: Props) {
  const { t } = useLingui();
  const format = useFormat();
  const isMuted = mutedUntil !== null && mutedUntil > Date.now();
  const until = isMuted ? format.moment(mutedUntil, Date.now()) : '';
  const untilTime = isMuted ? format.time(mutedUntil) : '';
  const isToday = isMuted && format.dayKey(mutedUntil) === format.dayKey(Date.now());
  return (
    <div className="lc:flex lc:flex-wrap lc:items-center lc:gap-2" role="group" aria-label={t`Mute`}>
      {isMuted ? (
        <>
          <span className="lc:grow lc:basis-full lc:sm:basis-auto">{isToday ? t`Muted until ${untilTime}.` : t`Muted until ${until}.`}</span>
          <Button tone="outline" onClick={() => change({ mutedUntil: null })}>{t`Unmute`}</Button>
        </>
      ) : (
        <>
          <span className="lc:grow lc:basis-full lc:sm:basis-auto">{t`Mute all sounds`}</span>
          <Button tone="outline" onClick={() => change({ mutedUntil: Date.now() + HOUR_MS })}>{t`For 1 hour`}</Button>
          <Button tone="outline" onClick={() => change({ mutedUntil: tomorrowMorning(Date.now()) })}>{t`Until tomorrow`}</Button>
        </>
      )}
    </div>
  );
}

/** With one number alone there is nothing to choose. */
function Numbers({ settings: { silentNumbers }, change }: Props) {
  const { t } = useLingui();
  const numbers = usePhoneNumbers() ?? [];
  if (numbers.length < 2) return null;
  return (
    <fieldset className="lc:flex lc:flex-col">
      <legend className="lc:pb-1">{t`Sounds for messages to`}</legend>
      {numbers.map(({ phone_number_id: id, display_phone_number: phone, verified_name: name }) => (
        <label key={id} className="lc:flex lc:min-h-9 lc:cursor-pointer lc:items-center lc:gap-3">
          <input
            type="checkbox"
            className="lc:size-4.5 lc:shrink-0 lc:accent-accent"
            checked={!silentNumbers.includes(id)}
            onChange={(event) => change({ silentNumbers: event.target.checked ? silentNumbers.filter((one) => one !== id) : [...silentNumbers, id] })}
          />
          <span className="lc:min-w-0 lc:truncate">
            <bdi>{name ?? phone ?? id}</bdi>
            {name && phone && (
              <span className="lc:ps-2 lc:text-xs lc:text-soft">
                <bdi dir="ltr">{phone}</bdi>
              </span>
            )}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
