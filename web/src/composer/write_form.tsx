/** The text, its files and what it answers, and the buttons around them. */
import { Plural, useLingui } from '@lingui/react/macro';
import { Mic, SendHorizontal } from 'lucide-react';
import { type ClipboardEvent, type KeyboardEvent, type RefObject, useCallback, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Conversation, QuickReply } from '../api/types';
import { useActions } from '../hooks/actions';
import { useStore } from '../store/context';
import type { Draft } from '../store/drafts';
import { Button, IconButton } from '../ui/button';
import { useUi } from '../ui/context';
import { Spinner } from '../ui/spinner';
import { LinkPreviewChoice } from './link_preview';
import type { DialogName } from './dialogs/dialogs';
import { EmojiButton } from './emoji_button';
import { FileCards } from './files/cards';
import { FormatMenu, markOfKey } from './format_menu';
import { isBlank, LIMITS, lengthOf } from './limits';
import { applyMark, hasLink, type Mark } from './markup';
import { ReplyBar } from './notices';
import { isCaption, takesCaption } from './outgoing';
import { PlusMenu } from './plus_menu';
import { type QuickReplyKeys, QuickReplyList } from './quick_replies/list';
import { type Blank, blanksIn, slashAt } from './slash';
import { edit, fitHeight, insert } from './text_area';
import { useDraftText } from './use_draft_text';
import { useSubmit } from './use_submit';
import { VoiceBar } from './voice/bar';
import { useVoiceInput } from './voice/use_voice_input';

/** The counter shows when this many letters are left. */
const COUNTED = 300;

export function WriteForm({
  conversationId,
  conversation,
  draft,
  change,
  area,
  preparing,
  addFiles,
  openDialog,
}: {
  conversationId: number;
  conversation: Conversation | undefined;
  draft: Draft;
  change: (change: Partial<Draft>) => void;
  area: RefObject<HTMLTextAreaElement | null>;
  preparing: number;
  addFiles: (files: readonly File[], asDocuments?: boolean) => void;
  openDialog: (name: DialogName) => void;
}) {
  const { t } = useLingui();
  const { features, announce } = useUi();
  const actions = useActions();
  const store = useStore();
  const submit = useSubmit(conversationId);
  const [text, write] = useDraftText(draft, change);
  const [cursor, setCursor] = useState(text.length);
  const [previewUrl, setPreviewUrl] = useState(true);
  /** Where a list was closed, so that it stays so until another `/`. */
  const [dismissed, setDismissed] = useState<number | null>(null);
  const [activeOption, setActiveOption] = useState<string>();
  /** Whether the agent was told of the blanks in this text, and sends it nevertheless. */
  const [warned, setWarned] = useState<string | null>(null);
  const keys = useRef<QuickReplyKeys>(null);
  const listId = useId();

  const words = text.trim();
  const length = lengthOf(words);
  const blanks = useMemo(() => blanksIn(text), [text]);
  const isEmpty = isBlank(text) && draft.files.length === 0;
  const isTooLong = length > LIMITS.text;
  const slash = features.quickReplies === false ? null : slashAt(text, cursor);
  const isListOpen = slash !== null && slash.start !== dismissed;
  const voice = useVoiceInput(conversationId, (file) => {
    const now = store.drafts.get(conversationId);
    submit({ ...now, text: '', files: [...now.files, file] }, previewUrl);
    // What was written before, and while it was packed, stays.
    write(now.text);
  });

  useLayoutEffect(() => {
    if (area.current) fitHeight(area.current);
  }, [area, text, voice.view]);

  const select = (blank: Blank) => {
    area.current?.focus();
    area.current?.setSelectionRange(blank.start, blank.end);
  };

  const send = (isAnyway = false) => {
    if (isEmpty || isTooLong || preparing > 0) return;
    const [blank] = blanks;
    if (blank && !isAnyway && warned !== text) {
      setWarned(text);
      select(blank);
      announce(t`Fill in what stands between braces first.`);
      return;
    }
    submit({ ...store.drafts.get(conversationId), text }, previewUrl);
    write('');
    setCursor(0);
    setDismissed(null);
    setPreviewUrl(true);
    announce(t`Sent`);
    area.current?.focus();
  };

  const mark = useCallback(
    (which: Mark) => {
      const field = area.current;
      if (field) edit(field, applyMark(field.value, field.selectionStart, field.selectionEnd, which));
    },
    [area],
  );
  const focus = useCallback(() => area.current?.focus(), [area]);
  const insertText = useCallback((what: string) => area.current && insert(area.current, what), [area]);
  const removeReply = useCallback(() => {
    change({ replyTo: null });
    focus();
  }, [change, focus]);
  const changeFiles = useCallback((files: Draft['files']) => change({ files }), [change]);

  const chooseQuickReply = (quickReply: QuickReply) => {
    const field = area.current;
    if (!field || !slash) return;
    const filled = quickReply.rendered ?? quickReply.content ?? '';
    const end = slash.start + 1 + slash.query.length;
    const [blank] = blanksIn(filled);
    edit(field, {
      start: slash.start,
      end,
      text: filled,
      selectionStart: slash.start + (blank?.start ?? filled.length),
      selectionEnd: slash.start + (blank?.end ?? filled.length),
    });
    setDismissed(null);
    const { media } = quickReply;
    if (!media) return;
    const { files } = store.drafts.get(conversationId);
    const file = {
      id: crypto.randomUUID(),
      file: new Blob([], { type: media.mime_type }),
      name: media.filename ?? quickReply.shortcut,
      kind: media.kind as Draft['files'][number]['kind'],
      uploaded: { mediaId: media.media_id, mimeType: media.mime_type, size: media.size },
    };
    change({ files: [...files, file] });
  };

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // Enter and the like belong to the input method while it composes a letter; 229 is what old browsers say then.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (isListOpen && keys.current?.onKeyDown(event)) return event.preventDefault();
    const which = markOfKey(event);
    if (which) {
      event.preventDefault();
      return mark(which);
    }
    if (event.key === 'Escape' && draft.replyTo) {
      event.preventDefault();
      return removeReply();
    }
    // After a blank the next one, as in a form.
    if (event.key === 'Tab' && !event.shiftKey && blanks.length > 0) {
      const next = blanks.find(({ start }) => start >= event.currentTarget.selectionEnd);
      if (next) {
        event.preventDefault();
        return select(next);
      }
    }
    if (event.key !== 'Enter' || event.shiftKey || event.altKey || matchMedia('(pointer: coarse)').matches) return;
    event.preventDefault();
    send();
  };

  const onPaste = (event: ClipboardEvent) => {
    const files = [...event.clipboardData.files];
    // Office programs put a picture of a text beside it.
    if (files.length === 0 || features.attachments === false || event.clipboardData.types.includes('text/plain')) return;
    event.preventDefault();
    addFiles(files);
  };

  const first = draft.files[0];
  const placeholder = first && takesCaption(first.kind) ? t`Add a caption` : t`Write a message`;
  const canRecord = features.voice !== false && isEmpty && preparing === 0;
  return (
    <form
      aria-label={t`Message`}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {isListOpen && (
        <QuickReplyList
          id={listId}
          conversationId={conversationId}
          query={slash.query}
          keys={keys}
          onChoose={chooseQuickReply}
          onActive={setActiveOption}
          onClose={() => setDismissed(slash.start)}
          onManage={() => openDialog('quick_replies')}
        />
      )}
      {draft.replyTo && <ReplyBar conversation={conversation} replyTo={draft.replyTo} onCancel={removeReply} />}
      <FileCards files={draft.files} preparing={preparing} onChange={changeFiles} />
      {hasLink(text) && !isCaption(words, draft.files) && <LinkPreviewChoice isOn={previewUrl} onChange={setPreviewUrl} />}
      {blanks.length > 0 && warned === text && (
        <p className="lc:flex lc:flex-wrap lc:items-center lc:gap-x-3 lc:px-4 lc:pt-2 lc:text-xs lc:text-warning">
          <span className="lc:grow">
            <Plural value={blanks.length} one="One blank is still to be filled in." other="# blanks are still to be filled in." />
          </span>
          <Button className="lc:min-h-7! lc:px-2! lc:text-xs" onClick={() => send(true)}>{t`Send anyway`}</Button>
        </p>
      )}
      <div className="lc:flex lc:items-end lc:gap-1 lc:p-2">
        {voice.view ? (
          <VoiceBar voice={voice} view={voice.view} onKeep={voice.keep} onSend={voice.send} />
        ) : (
          <>
            <PlusMenu onFiles={addFiles} openDialog={openDialog} onCloseFocus={focus} />
            <div className="lc:flex lc:min-w-0 lc:grow lc:items-end lc:rounded-2xl lc:border lc:border-field lc:bg-surface lc:focus-within:border-accent lc:focus-within:outline-1 lc:focus-within:-outline-offset-2 lc:focus-within:outline-accent">
              <textarea
                ref={area}
                rows={1}
                dir="auto"
                aria-label={t`Message`}
                aria-autocomplete="list"
                aria-controls={isListOpen ? listId : undefined}
                aria-activedescendant={isListOpen ? activeOption : undefined}
                placeholder={placeholder}
                enterKeyHint={matchMedia('(pointer: coarse)').matches ? 'enter' : 'send'}
                value={text}
                onChange={(event) => {
                  write(event.target.value);
                  setCursor(event.target.selectionStart);
                  if (!isBlank(event.target.value)) actions.typing(conversationId);
                }}
                onSelect={(event) => setCursor(event.currentTarget.selectionStart)}
                onKeyDown={onKeyDown}
                onPaste={onPaste}
                className="lc:min-h-9.5 lc:min-w-0 lc:grow lc:resize-none lc:py-2 lc:ps-3.5 lc:pe-1 lc:text-[15px] lc:leading-5.5 lc:outline-none"
              />
              <FormatMenu onMark={mark} onCloseFocus={focus} />
              {features.emoji !== false && <EmojiButton onPick={insertText} onCloseFocus={focus} />}
            </div>
            {canRecord ? (
              <IconButton label={t`Record a voice message`} onClick={voice.start} disabled={voice.isPacking} className="lc:size-10 lc:rounded-full!">
                {voice.isPacking ? <Spinner /> : <Mic />}
              </IconButton>
            ) : (
              <IconButton type="submit" tone="accent" label={t`Send`} disabled={isEmpty || isTooLong || preparing > 0} className="lc:size-10 lc:rounded-full!">
                <SendHorizontal className="lc:rtl:-scale-x-100" />
              </IconButton>
            )}
          </>
        )}
      </div>
      {length > LIMITS.text - COUNTED && <Counter left={LIMITS.text - length} />}
    </form>
  );
}

function Counter({ left }: { left: number }) {
  return (
    <p className={left < 0 ? 'lc:px-4 lc:pb-1.5 lc:text-end lc:text-xs lc:text-danger' : 'lc:px-4 lc:pb-1.5 lc:text-end lc:text-xs lc:text-soft'}>
      {left < 0 ? (
        <Plural value={-left} one="# character too many: WhatsApp takes 4,096" other="# characters too many: WhatsApp takes 4,096" />
      ) : (
        <Plural value={left} one="# character left" other="# characters left" />
      )}
    </p>
  );
}
