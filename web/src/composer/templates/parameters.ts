/** What a message template wants to be told, and the object that WhatsApp takes once it was. */
import type { Template, TemplateObject } from '../../api/types';
import { isBlank, isLink, LIMITS, lengthOf } from '../limits';
import { fillBlanks } from '../slash';

export type MediaKind = 'image' | 'video' | 'document';

/** One thing to fill in. */
export interface TemplateField {
  /** Within the template. */
  readonly key: string;
  readonly place: 'header' | 'body' | 'button';
  readonly kind: 'text' | MediaKind;
  /** The placeholder: a number or a name. */
  readonly name: string;
  readonly example: string | null;
  /** Of a button: its `index`, and what stands on it. */
  readonly button?: { readonly index: number; readonly text: string };
}

/** What was filled in: a text, or the file of a header. */
export type TemplateValue =
  | { readonly text: string }
  | { readonly mediaId: string; readonly filename: string; readonly previewUrl?: string }
  | { readonly link: string };
export type TemplateValues = Readonly<Record<string, TemplateValue | undefined>>;

const MEDIA: Record<string, MediaKind> = { IMAGE: 'image', VIDEO: 'video', DOCUMENT: 'document' };

/** Why a template cannot be sent from here; null where it can. */
export type Unsendable = 'location' | 'code' | 'products' | 'other';

/** The API takes texts and files of headers, texts of bodies, and of buttons the ends of URLs: what wants more is for other tools. */
export function unsendable(template: Template): Unsendable | null {
  if (template.header?.format === 'LOCATION') return 'location';
  if (template.buttons.some(({ type }) => type === 'COPY_CODE')) return 'code';
  if (template.buttons.some(({ type }) => type === 'MPM' || type === 'SPM')) return 'products';
  return template.other_components.length > 0 ? 'other' : null;
}

export function fieldsOf({ header, body, buttons }: Template): readonly TemplateField[] {
  const fields: TemplateField[] = [];
  const media = header && MEDIA[header.format];
  if (media) fields.push({ key: 'header', place: 'header', kind: media, name: media, example: null });
  for (const { name, example = null } of header?.format === 'TEXT' ? header.parameters : []) {
    fields.push({ key: `header.${name}`, place: 'header', kind: 'text', name, example });
  }
  for (const { name, example = null } of body?.parameters ?? []) fields.push({ key: `body.${name}`, place: 'body', kind: 'text', name, example });
  for (const { index, text, url, parameter } of buttons) {
    if (!parameter) continue;
    // The example is a whole URL, of which only the end is asked for.
    const beginning = url?.split('{{')[0] ?? '';
    const example = parameter.example?.startsWith(beginning) ? parameter.example.slice(beginning.length) : (parameter.example ?? null);
    fields.push({ key: `button.${index}`, place: 'button', kind: 'text', name: parameter.name, example, button: { index, text: text ?? '' } });
  }
  return fields;
}

/** What is wrong with a field. */
export type FieldProblem = 'missing' | 'too_long' | 'no_link';

export function problemsOf(fields: readonly TemplateField[], values: TemplateValues): ReadonlyMap<string, FieldProblem> {
  const problems = new Map<string, FieldProblem>();
  for (const { key, kind } of fields) {
    const value = values[key];
    if (!value || ('text' in value && isBlank(value.text))) problems.set(key, 'missing');
    else if ('text' in value ? lengthOf(oneLine(value.text)) > LIMITS.templateParameter : false) problems.set(key, 'too_long');
    else if (kind !== 'text' && 'link' in value && !isLink(value.link)) problems.set(key, value.link === '' ? 'missing' : 'no_link');
  }
  return problems;
}

/** WhatsApp refuses parameters with line breaks, tabs or more than four spaces in a row. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

type Component = NonNullable<TemplateObject['components']>[number];
type Parameter = NonNullable<Component['parameters']>[number];

/** Graph's object of the template with these values, which have no [`problemsOf`]. */
export function templateObject(template: Template, values: TemplateValues): TemplateObject {
  const fields = fieldsOf(template);
  const isNamed = template.parameter_format === 'NAMED';
  const parametersOf = (place: TemplateField['place']) =>
    fields.filter((field) => field.place === place).map((field) => parameter(field, values[field.key], isNamed));
  const components: Component[] = [];
  for (const type of ['header', 'body'] as const) {
    const parameters = parametersOf(type);
    if (parameters.length > 0) components.push({ type, parameters });
  }
  for (const field of fields) {
    if (!field.button) continue;
    components.push({ type: 'button', sub_type: 'url', index: String(field.button.index), parameters: [parameter(field, values[field.key], false)] });
  }
  return { name: template.name, language: { code: template.language }, ...(components.length > 0 && { components }) };
}

function parameter({ kind, name }: TemplateField, value: TemplateValue | undefined, isNamed: boolean): Parameter {
  if (kind === 'text') return { type: 'text', text: textOf(value), ...(isNamed && { parameter_name: name }) };
  const file = value && 'mediaId' in value ? { media_id: value.mediaId } : { link: value && 'link' in value ? value.link : '' };
  const filename = kind === 'document' && value && 'mediaId' in value ? { filename: value.filename } : {};
  return { type: kind, [kind]: { ...file, ...filename } };
}

function textOf(value: TemplateValue | undefined): string {
  return value && 'text' in value ? oneLine(value.text) : '';
}

export interface RenderedTemplate {
  readonly header: string | null;
  readonly body: string;
  readonly footer: string | null;
  readonly buttons: readonly { readonly type: string; readonly text: string }[];
}

/** The template as the customer reads it; what is not filled in yet stays a placeholder. */
export function renderTemplate(template: Template, values: TemplateValues): RenderedTemplate {
  const fill = (place: string, text: string) => fillBlanks(text, (name) => textOf(values[`${place}.${name}`]));
  return {
    header: template.header?.text ? fill('header', template.header.text) : null,
    body: fill('body', template.body?.text ?? ''),
    footer: template.footer ?? null,
    buttons: template.buttons.map(({ type, text }) => ({ type, text: text ?? '' })),
  };
}

/** The one placeholder of a body that has no more of them: a text of one's own fits there. */
export function onlyBodyField(template: Template): TemplateField | null {
  const fields = fieldsOf(template).filter(({ place }) => place === 'body');
  return fields.length === 1 ? (fields[0] ?? null) : null;
}

/** Those that fit what was typed, by name, words, language or category; those of the favoured language first. */
export function findTemplates(templates: readonly Template[], query: string, language: string): readonly Template[] {
  const wanted = query.trim().toLocaleLowerCase().split(/\s+/);
  const own = (language.split('-')[0] ?? '').toLowerCase();
  const text = ({ name, language, category, header, body }: Template) =>
    [name, name.replaceAll('_', ' '), language, category, header?.text, body?.text].join('\n').toLocaleLowerCase();
  return templates
    .filter((template) => wanted.every((word) => text(template).includes(word)))
    .sort((a, b) => Number(b.language.toLowerCase().startsWith(own)) - Number(a.language.toLowerCase().startsWith(own)));
}
