/** Interactive messages: what was filled in becomes WhatsApp's object, and what is wrong with it is named. */
import type { InteractiveObject } from '../../api/types';
import { isBlank, isLink, LIMITS, lengthOf } from '../limits';

const MOST = LIMITS.interactive;

export interface HeaderFile {
  readonly mediaId: string;
  readonly kind: 'image' | 'video' | 'document';
  readonly name: string;
}

/** What all of them have. */
export interface Frame {
  readonly header: string;
  readonly file: HeaderFile | null;
  readonly body: string;
  readonly footer: string;
}

export const EMPTY_FRAME: Frame = { header: '', file: null, body: '', footer: '' };

/** What is wrong with a field; the fields are named as in these functions' comments. */
export type Problem = 'missing' | 'too_long' | 'twice' | 'no_link' | 'no_number';
export type Problems = ReadonlyMap<string, Problem>;

class Checks {
  readonly problems = new Map<string, Problem>();

  /** The first problem of a field is the one that is told. */
  add(field: string, problem: Problem, is: boolean): void {
    if (is && !this.problems.has(field)) this.problems.set(field, problem);
  }

  text(field: string, text: string, most: number, isRequired = true): void {
    this.add(field, 'missing', isRequired && isBlank(text));
    this.add(field, 'too_long', lengthOf(text.trim()) > most);
  }
}

function checkFrame(checks: Checks, frame: Frame): void {
  checks.text('header', frame.header, MOST.header, false);
  checks.text('body', frame.body, MOST.body);
  checks.text('footer', frame.footer, MOST.footer, false);
}

function frameObject({ header, file, body, footer }: Frame): Pick<InteractiveObject, 'header' | 'body' | 'footer'> {
  const media = file && { type: file.kind, [file.kind]: { media_id: file.mediaId, ...(file.kind === 'document' && { filename: file.name }) } };
  const text = isBlank(header) ? null : { type: 'text', text: header.trim() };
  return {
    ...((media ?? text) && { header: (media ?? text) as NonNullable<InteractiveObject['header']> }),
    body: { text: body.trim() },
    ...(!isBlank(footer) && { footer: { text: footer.trim() } }),
  };
}

/** Fields: `header`, `body`, `footer`, `buttons.0`, …; a message has one button to three. */
export function checkButtons(frame: Frame, titles: readonly string[]): Problems {
  const checks = new Checks();
  checkFrame(checks, frame);
  titles.forEach((title, index) => {
    checks.text(`buttons.${index}`, title, MOST.button);
    checks.add(`buttons.${index}`, 'twice', titles.findIndex((other) => other.trim() === title.trim()) < index);
  });
  return checks.problems;
}

export function buttonsObject(frame: Frame, titles: readonly string[]): InteractiveObject {
  const buttons = titles.map((title, index) => ({ type: 'reply', reply: { id: `button-${index + 1}`, title: title.trim() } }));
  return { type: 'button', ...frameObject(frame), action: { buttons } };
}

export interface ListRow {
  readonly key: string;
  readonly title: string;
  readonly description: string;
}

export interface ListSection {
  readonly key: string;
  readonly title: string;
  readonly rows: readonly ListRow[];
}

/** Fields: those of the frame, `button`, `sections.0`, `rows.0.0`, `descriptions.0.0`, … */
export function checkList(frame: Frame, button: string, sections: readonly ListSection[]): Problems {
  const checks = new Checks();
  checkFrame(checks, frame);
  checks.text('button', button, MOST.button);
  sections.forEach(({ title, rows }, place) => {
    checks.text(`sections.${place}`, title, MOST.rowTitle, sections.length > 1);
    rows.forEach((row, index) => {
      checks.text(`rows.${place}.${index}`, row.title, MOST.rowTitle);
      checks.text(`descriptions.${place}.${index}`, row.description, MOST.rowDescription, false);
    });
  });
  return checks.problems;
}

export function countRows(sections: readonly ListSection[]): number {
  return sections.reduce((sum, { rows }) => sum + rows.length, 0);
}

export function listObject(frame: Frame, button: string, sections: readonly ListSection[]): InteractiveObject {
  return {
    type: 'list',
    // A list's header is a text.
    ...frameObject({ ...frame, file: null }),
    action: {
      button: button.trim(),
      sections: sections.map(({ title, rows }, place) => ({
        ...(!isBlank(title) && { title: title.trim() }),
        rows: rows.map((row, index) => ({
          id: `row-${place + 1}-${index + 1}`,
          title: row.title.trim(),
          ...(!isBlank(row.description) && { description: row.description.trim() }),
        })),
      })),
    },
  };
}

/** Fields: those of the frame, `text`, `url`. */
export function checkLink(frame: Frame, text: string, url: string): Problems {
  const checks = new Checks();
  checkFrame(checks, frame);
  checks.text('text', text, MOST.button);
  checks.text('url', url, MOST.url);
  checks.add('url', 'no_link', !isLink(url.trim()));
  return checks.problems;
}

export function linkObject(frame: Frame, text: string, url: string): InteractiveObject {
  return { type: 'cta_url', ...frameObject(frame), action: { name: 'cta_url', parameters: { display_text: text.trim(), url: url.trim() } } };
}
