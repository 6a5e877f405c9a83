import { useLingui } from '@lingui/react/macro';
import { LocateFixed } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/button';
import { LIMITS } from '../limits';
import { replyId } from '../outgoing';
import { useSendNow } from '../use_submit';
import type { DialogProps } from './dialogs';
import { FormAndPreview, TextField } from './form';
import { SendDialog, useChecked } from './frame';
import { checkLocation, type LocationFields, locationObject, readCoordinates } from './places';
import { MessagePreview } from './preview';

/** How long the browser may look for where it is. */
const FOUND_WITHIN_MS = 15_000;

/** A place on the map: by its coordinates, or where the agent is. */
export function LocationDialog({ conversation, draft, change, onClose, onCloseFocus }: DialogProps) {
  const { t } = useLingui();
  const sendNow = useSendNow(conversation.id);
  const [fields, setFields] = useState<LocationFields>({ latitude: '', longitude: '', name: '', address: '' });
  const [isLooking, setLooking] = useState(false);
  const [problem, setProblem] = useState<string>();
  const { form, errorOf, check } = useChecked(checkLocation(fields));
  const set = (part: Partial<LocationFields>) => setFields((fields) => ({ ...fields, ...part }));
  const put = ({ latitude, longitude }: { latitude: number; longitude: number }) => set({ latitude: String(latitude), longitude: String(longitude) });
  /** Both numbers at once, or a map's address, pasted into either field. */
  const type = (field: 'latitude' | 'longitude') => (text: string) => {
    const both = text.length > 5 && /[,;/]\s*-?\d+\.?\d*/.test(text) ? readCoordinates(text) : null;
    if (both && /[.\s]/.test(text)) put(both);
    else set({ [field]: text });
  };
  const locate = () => {
    setProblem(undefined);
    if (!('geolocation' in navigator)) return setProblem(t`This browser does not know where it is.`);
    setLooking(true);
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        setLooking(false);
        put({ latitude: Number(coords.latitude.toFixed(6)), longitude: Number(coords.longitude.toFixed(6)) });
      },
      (error) => {
        setLooking(false);
        setProblem(error.code === error.PERMISSION_DENIED ? t`Your position is blocked for this page. Allow it in the browser's settings.` : t`Your position could not be found.`);
      },
      { enableHighAccuracy: true, timeout: FOUND_WITHIN_MS },
    );
  };
  return (
    <SendDialog
      title={t`Location`}
      isWide
      form={form}
      onClose={onClose}
      onCloseFocus={onCloseFocus}
      onSend={async () => {
        if (!check()) return false;
        const answered = replyId(draft.replyTo);
        const isKept = await sendNow({ message_type: 'location', location: locationObject(fields), ...(answered !== null && { reply_to: answered }) });
        if (isKept && answered !== null) change({ replyTo: null });
        return isKept;
      }}
    >
      <FormAndPreview
        preview={
          <MessagePreview
            media={{ kind: 'location', name: fields.latitude && fields.longitude ? `${fields.latitude}, ${fields.longitude}` : undefined }}
            header={fields.name}
            body={fields.address || (fields.name === '' ? t`Location` : ' ')}
          />
        }
      >
        <div className="lc:flex lc:flex-wrap lc:items-center lc:gap-2">
          <Button tone="outline" disabled={isLooking} onClick={locate}>
            <LocateFixed aria-hidden className="lc:size-4" />
            {isLooking ? t`Looking for your position` : t`Use my position`}
          </Button>
          <p role="alert" className="lc:text-xs lc:text-danger">
            {problem}
          </p>
        </div>
        <div className="lc:grid lc:grid-cols-2 lc:gap-2">
          <TextField label={t`Latitude`} value={fields.latitude} onChange={type('latitude')} error={errorOf('latitude')} inputMode="text" placeholder="52.5163" dir="ltr" autoFocus />
          <TextField label={t`Longitude`} value={fields.longitude} onChange={type('longitude')} error={errorOf('longitude')} inputMode="text" placeholder="13.3777" dir="ltr" />
        </div>
        <p className="lc:-mt-2 lc:text-xs lc:text-soft">{t`Both can be pasted at once, or a link of a map that has them.`}</p>
        <TextField label={t`Name of the place`} optional value={fields.name} onChange={(name) => set({ name })} limit={LIMITS.location} error={errorOf('name')} />
        <TextField label={t`Address`} optional value={fields.address} onChange={(address) => set({ address })} limit={LIMITS.location} error={errorOf('address')} />
      </FormAndPreview>
    </SendDialog>
  );
}
