/** A text as WhatsApp shows it: formatted, its links to be followed, long ones folded. */
import { Trans } from '@lingui/react/macro';
import { Fragment, memo, type ReactNode, useMemo, useState } from 'react';
import { cn } from '../../ui/cn';
import { type Block, countEmoji, type Inline, parseMarkup } from '../markup';

/** From here on a text is folded to so many characters, unless little would be left. */
const LONG = 1_200;
const FOLDED = 900;

export const Text = memo(function Text({ text, query = '' }: { text: string; query?: string }) {
  const [open, setOpen] = useState(false);
  const isFolded = !open && query === '' && text.length > LONG;
  const shown = isFolded ? `${text.slice(0, text.lastIndexOf(' ', FOLDED) > FOLDED / 2 ? text.lastIndexOf(' ', FOLDED) : FOLDED)}…` : text;
  const emoji = useMemo(() => countEmoji(text), [text]);
  const blocks = useMemo(() => parseMarkup(shown), [shown]);
  if (emoji > 0) return <p className={cn('lc:leading-tight', emoji === 1 ? 'lc:text-[44px]' : 'lc:text-[32px]')}>{text.trim()}</p>;
  return (
    <div className="lc:flex lc:min-w-0 lc:flex-col lc:gap-1 lc:wrap-anywhere lc:whitespace-pre-wrap">
      {blocks.map((block, index) => (
        <BlockOf key={index} block={block} query={query} />
      ))}
      {isFolded && (
        <button type="button" className="lc:min-h-6 lc:self-start lc:font-medium lc:text-link lc:hover:underline" onClick={() => setOpen(true)}>
          <Trans>Show more</Trans>
        </button>
      )}
    </div>
  );
});

function BlockOf({ block, query }: { block: Block; query: string }): ReactNode {
  switch (block.type) {
    case 'paragraph':
      return <p dir="auto">{inlines(block.children, query)}</p>;
    case 'quote':
      return (
        <blockquote dir="auto" className="lc:border-s-3 lc:border-field lc:ps-2 lc:text-soft">
          {inlines(block.children, query)}
        </blockquote>
      );
    case 'code':
      return (
        <pre dir="ltr" className="lc:overflow-x-auto lc:rounded-md lc:bg-quote lc:px-2 lc:py-1 lc:font-mono lc:text-[13px] lc:whitespace-pre-wrap">
          {marked(block.text, query)}
        </pre>
      );
    case 'list': {
      const items = block.items.map((item, index) => (
        <li key={index} dir="auto">
          {inlines(item, query)}
        </li>
      ));
      return block.start === null ? (
        <ul className="lc:list-disc lc:ps-5">{items}</ul>
      ) : (
        <ol start={block.start} className="lc:list-decimal lc:ps-6">
          {items}
        </ol>
      );
    }
  }
}

function inlines(children: readonly Inline[], query: string): ReactNode {
  return children.map((inline, index) => (
    <Fragment key={index}>{one(inline, query)}</Fragment>
  ));
}

function one(inline: Inline, query: string): ReactNode {
  switch (inline.type) {
    case 'text':
      return marked(inline.text, query);
    case 'code':
      return <code className="lc:rounded-sm lc:bg-quote lc:px-1 lc:font-mono lc:text-[13px]">{marked(inline.text, query)}</code>;
    case 'link':
      return (
        <>
          <a href={inline.href} target="_blank" rel="noopener noreferrer" dir="ltr" className="lc:text-link lc:underline lc:decoration-1 lc:underline-offset-2">
            {marked(inline.text, query)}
          </a>
          {inline.host && (
            <bdi dir="ltr" className="lc:text-xs lc:text-soft">
              {` (${inline.host})`}
            </bdi>
          )}
        </>
      );
    case 'bold':
      return <strong>{inlines(inline.children, query)}</strong>;
    case 'italic':
      return <em>{inlines(inline.children, query)}</em>;
    case 'strike':
      return <s className="lc:line-through">{inlines(inline.children, query)}</s>;
  }
}

/** `text`, with what was searched for marked in it. */
function marked(text: string, query: string): ReactNode {
  const wanted = query.trim().toLowerCase();
  const lower = text.toLowerCase();
  // Some letters have another length in small, such as İ: then places do not fit.
  if (wanted === '' || lower.length !== text.length) return text;
  const parts: ReactNode[] = [];
  let at = 0;
  for (let found = lower.indexOf(wanted); found >= 0; found = lower.indexOf(wanted, at)) {
    parts.push(text.slice(at, found), <mark key={found} className="lc:rounded-xs lc:bg-mark lc:text-text">{text.slice(found, found + wanted.length)}</mark>);
    at = found + wanted.length;
  }
  return parts.length === 0 ? text : [...parts, text.slice(at)];
}
