import { useLingui } from '@lingui/react/macro';
import { Plus, X } from 'lucide-react';
import { useState } from 'react';
import { Button, IconButton } from '../../ui/button';
import { replyId } from '../outgoing';
import { useSendNow } from '../use_submit';
import type { DialogProps } from './dialogs';
import { FormAndPreview, SelectField, TextField } from './form';
import { SendDialog, useChecked } from './frame';
import { type CardFields, cardObject, checkCards, PHONE_TYPES, type PhoneType } from './places';

const newPhone = () => ({ key: crypto.randomUUID(), phone: '', type: 'CELL' as const });
const newCard = (): CardFields => ({ key: crypto.randomUUID(), firstName: '', lastName: '', company: '', email: '', phones: [newPhone()] });

/** More in one message are for lists, not for people. */
const CARDS = 10;
const PHONES = 5;

/** Contact cards. */
export function ContactsDialog({ conversation, draft, change, onClose, onCloseFocus }: DialogProps) {
  const { t } = useLingui();
  const sendNow = useSendNow(conversation.id);
  const [cards, setCards] = useState<readonly CardFields[]>(() => [newCard()]);
  const { form, errorOf, check } = useChecked(checkCards(cards));
  const set = (place: number, part: Partial<CardFields>) => setCards(cards.map((card, at) => (at === place ? { ...card, ...part } : card)));
  const types: Record<PhoneType, string> = { CELL: t`Mobile`, WORK: t`Work`, HOME: t`Home`, MAIN: t`Main` };
  return (
    <SendDialog
      title={t`Contact`}
      isWide
      form={form}
      onClose={onClose}
      onCloseFocus={onCloseFocus}
      onSend={async () => {
        if (!check()) return false;
        const answered = replyId(draft.replyTo);
        const isKept = await sendNow({ message_type: 'contacts', contacts: cards.map(cardObject), ...(answered !== null && { reply_to: answered }) });
        if (isKept && answered !== null) change({ replyTo: null });
        return isKept;
      }}
    >
      <FormAndPreview
        preview={
          <div className="lc:flex lc:flex-col lc:gap-3 lc:rounded-xl lc:rounded-se-sm lc:bg-own lc:p-3">
            {cards.map((card) => (
              <div key={card.key} className="lc:min-w-0">
                <p dir="auto" className="lc:truncate lc:font-semibold">
                  {cardObject(card).name.formatted_name || '…'}
                </p>
                {[card.company, ...card.phones.map(({ phone }) => phone), card.email].filter(Boolean).map((line, index) => (
                  <p key={`line ${index}`} dir="auto" className="lc:truncate lc:text-soft">
                    {line}
                  </p>
                ))}
              </div>
            ))}
          </div>
        }
      >
        {cards.map((card, place) => (
          <fieldset key={card.key} className="lc:flex lc:min-w-0 lc:flex-col lc:gap-2 lc:rounded-xl lc:border lc:border-line lc:p-3">
            <legend className="lc:sr-only">{t`Contact ${place + 1}`}</legend>
            <div className="lc:flex lc:items-start lc:gap-1">
              <div className="lc:grid lc:min-w-0 lc:grow lc:grid-cols-2 lc:gap-2">
                <TextField
                  label={t`First name`}
                  value={card.firstName}
                  error={errorOf(`${place}.firstName`)}
                  autoFocus={place === cards.length - 1}
                  onChange={(firstName) => set(place, { firstName })}
                />
                <TextField label={t`Last name`} value={card.lastName} error={errorOf(`${place}.lastName`)} onChange={(lastName) => set(place, { lastName })} />
              </div>
              {cards.length > 1 && (
                <IconButton label={t`Remove contact ${place + 1}`} className="lc:mt-6" onClick={() => setCards(cards.toSpliced(place, 1))}>
                  <X />
                </IconButton>
              )}
            </div>
            {card.phones.map((phone, index) => {
              const setPhone = (part: Partial<typeof phone>) => set(place, { phones: card.phones.map((other) => (other.key === phone.key ? { ...other, ...part } : other)) });
              return (
                <div key={phone.key} className="lc:flex lc:items-start lc:gap-2">
                  <div className="lc:min-w-0 lc:grow">
                    <TextField
                      label={t`Phone number`}
                      value={phone.phone}
                      error={errorOf(`${place}.phones.${index}`)}
                      placeholder="+1 555 010 0001"
                      inputMode="tel"
                      dir="ltr"
                      onChange={(number) => setPhone({ phone: number })}
                    />
                  </div>
                  <div className="lc:w-28 lc:shrink-0">
                    <SelectField label={t`Kind`} value={phone.type} onChange={(type) => setPhone({ type })} options={PHONE_TYPES.map((value) => ({ value, label: types[value] }))} />
                  </div>
                  {card.phones.length > 1 && (
                    <IconButton label={t`Remove phone number ${index + 1}`} className="lc:mt-6" onClick={() => set(place, { phones: card.phones.toSpliced(index, 1) })}>
                      <X />
                    </IconButton>
                  )}
                </div>
              );
            })}
            {card.phones.length < PHONES && (
              <Button tone="outline" className="lc:self-start" onClick={() => set(place, { phones: [...card.phones, newPhone()] })}>
                <Plus aria-hidden className="lc:size-4" />
                {t`Add a phone number`}
              </Button>
            )}
            <div className="lc:grid lc:grid-cols-2 lc:gap-2">
              <TextField label={t`Company`} optional value={card.company} error={errorOf(`${place}.company`)} onChange={(company) => set(place, { company })} />
              <TextField label={t`E-mail`} optional value={card.email} error={errorOf(`${place}.email`)} inputMode="email" dir="ltr" onChange={(email) => set(place, { email })} />
            </div>
          </fieldset>
        ))}
        {cards.length < CARDS && (
          <Button tone="outline" className="lc:self-start" onClick={() => setCards([...cards, newCard()])}>
            <Plus aria-hidden className="lc:size-4" />
            {t`Add another contact`}
          </Button>
        )}
      </FormAndPreview>
    </SendDialog>
  );
}
