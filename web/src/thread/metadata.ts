/** What a message's `metadata` holds, which is WhatsApp's own and may be anything: each reader gives what it can use, and nothing else. */

type Json = Readonly<Record<string, unknown>>;

export function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(objectOf) : [];
}

/** A text that is not empty, numbers as they are written; else undefined. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
  readonly name: string | undefined;
  readonly address: string | undefined;
}

export function placeOf(value: unknown): Place | null {
  const { latitude, longitude, name, address } = objectOf(value);
  const [north, east] = [numberOf(latitude), numberOf(longitude)];
  if (north === undefined || east === undefined || Math.abs(north) > 90 || Math.abs(east) > 180) return null;
  return { latitude: north, longitude: east, name: textOf(name), address: textOf(address) };
}

export interface Card {
  readonly name: string;
  readonly company: string | undefined;
  readonly phones: readonly string[];
  readonly emails: readonly string[];
}

export function cardsOf(value: unknown): readonly Card[] {
  return listOf(value).map((card) => {
    const name = objectOf(card['name']);
    const org = objectOf(card['org']);
    const texts = (list: unknown, field: string) => listOf(list).flatMap((one) => textOf(one[field]) ?? []);
    const parts = [name['first_name'], name['last_name']].flatMap((part) => textOf(part) ?? []);
    return {
      name: textOf(name['formatted_name']) ?? parts.join(' '),
      company: textOf(org['company']),
      phones: texts(card['phones'], 'phone'),
      emails: texts(card['emails'], 'email'),
    };
  });
}

export interface OrderLine {
  readonly product: string;
  readonly quantity: number;
  readonly price: number | undefined;
  readonly currency: string | undefined;
}

export function orderLinesOf(value: unknown): readonly OrderLine[] {
  return listOf(objectOf(value)['product_items']).map((line) => ({
    product: textOf(line['product_retailer_id']) ?? '—',
    quantity: numberOf(line['quantity']) ?? 1,
    price: numberOf(line['item_price']),
    currency: textOf(line['currency']),
  }));
}

/** An amount in its currency; where that is none that exists, both as they are. */
export function moneyOf(amount: number, currency: string | undefined, locale: string): string {
  try {
    if (currency) return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(amount);
  } catch {
    // Not a currency's code.
  }
  return [new Intl.NumberFormat(locale).format(amount), currency].filter(Boolean).join(' ');
}

export interface Ad {
  readonly headline: string | undefined;
  readonly body: string | undefined;
  readonly url: string | undefined;
}

export function adOf(value: unknown): Ad | null {
  const { headline, body, source_url } = objectOf(value);
  const ad = { headline: textOf(headline), body: textOf(body), url: textOf(source_url) };
  return ad.headline || ad.body || ad.url ? ad : null;
}

/** A flow's answer as names and values; what is nested is written as JSON, and the flow's token is nobody's business. */
export function answersOf(value: unknown): readonly { readonly name: string; readonly value: string }[] {
  return Object.entries(objectOf(value))
    .filter(([name]) => name !== 'flow_token')
    .map(([name, answer]) => ({
      name: name.replace(/^screen_\d+_/, '').replaceAll('_', ' '),
      value: Array.isArray(answer) && answer.every((one) => typeof one !== 'object') ? answer.join(', ') : (textOf(answer) ?? JSON.stringify(answer) ?? ''),
    }));
}
