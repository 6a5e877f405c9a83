/** Locations and contact cards: what was filled in becomes WhatsApp's object, and what is wrong with it is named. */
import type { SendRequest } from '../../api/types';
import { isBlank, LIMITS, lengthOf } from '../limits';
import type { Problem, Problems } from './interactive';

type LocationObject = NonNullable<SendRequest['location']>;
type ContactObject = NonNullable<SendRequest['contacts']>[number];

/** Reads two numbers as maps write them, out of a text or a map's address: `52.5163, 13.3777`. */
export function readCoordinates(text: string): { latitude: number; longitude: number } | null {
  const found = /(?:^|[^\d.])(-?\d{1,2}(?:\.\d+)?)\s*[,;/]\s*(-?\d{1,3}(?:\.\d+)?)(?:[^\d.]|$)/.exec(text);
  if (!found) return null;
  const [latitude, longitude] = [Number(found[1]), Number(found[2])];
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : null;
}

export interface LocationFields {
  readonly latitude: string;
  readonly longitude: string;
  readonly name: string;
  readonly address: string;
}

/** A number within bounds, with a point or a comma; null where it is none. */
function degrees(text: string, most: number): number | null {
  const clean = text.trim().replace(',', '.');
  if (!/^-?\d+(\.\d+)?$/.test(clean)) return null;
  const value = Number(clean);
  return Math.abs(value) <= most ? value : null;
}

/** Fields: those of the form. */
export function checkLocation({ latitude, longitude, name, address }: LocationFields): Problems {
  const problems = new Map<string, Problem>();
  for (const [field, text, most] of [['latitude', latitude, 90], ['longitude', longitude, 180]] as const) {
    if (isBlank(text)) problems.set(field, 'missing');
    else if (degrees(text, most) === null) problems.set(field, 'no_number');
  }
  for (const [field, text] of [['name', name], ['address', address]] as const) {
    if (lengthOf(text) > LIMITS.location) problems.set(field, 'too_long');
  }
  return problems;
}

export function locationObject({ latitude, longitude, name, address }: LocationFields): LocationObject {
  return {
    latitude: degrees(latitude, 90) ?? 0,
    longitude: degrees(longitude, 180) ?? 0,
    ...(!isBlank(name) && { name: name.trim() }),
    ...(!isBlank(address) && { address: address.trim() }),
  };
}

export const PHONE_TYPES = ['CELL', 'WORK', 'HOME', 'MAIN'] as const;
export type PhoneType = (typeof PHONE_TYPES)[number];

export interface CardFields {
  readonly key: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly company: string;
  readonly email: string;
  readonly phones: readonly { readonly key: string; readonly phone: string; readonly type: PhoneType }[];
}

/** Fields: `0.firstName`, `0.phones.0`, `0.email`, …, by the card's place. */
export function checkCards(cards: readonly CardFields[]): Problems {
  const problems = new Map<string, Problem>();
  cards.forEach(({ firstName, lastName, company, email, phones }, place) => {
    if (isBlank(firstName) && isBlank(lastName)) problems.set(`${place}.firstName`, 'missing');
    for (const [field, text] of [['firstName', firstName], ['lastName', lastName], ['company', company], ['email', email]] as const) {
      if (lengthOf(text) > LIMITS.contact && !problems.has(`${place}.${field}`)) problems.set(`${place}.${field}`, 'too_long');
    }
    phones.forEach(({ phone }, index) => {
      // A card with an address only is a card too.
      if (isBlank(phone)) {
        if (isBlank(email)) problems.set(`${place}.phones.${index}`, 'missing');
      } else if (!/^\+?[\d\s().\-/]{4,30}$/.test(phone.trim())) problems.set(`${place}.phones.${index}`, 'no_number');
    });
  });
  return problems;
}

export function cardObject({ firstName, lastName, company, email, phones }: CardFields): ContactObject {
  const [first, last] = [firstName.trim(), lastName.trim()];
  return {
    name: { formatted_name: [first, last].filter(Boolean).join(' '), ...(first !== '' && { first_name: first }), ...(last !== '' && { last_name: last }) },
    phones: phones.filter(({ phone }) => !isBlank(phone)).map(({ phone, type }) => ({ phone: phone.trim(), type, ...waId(phone) })),
    ...(!isBlank(email) && { emails: [{ email: email.trim() }] }),
    ...(!isBlank(company) && { org: { company: company.trim() } }),
  };
}

/** With an international number the card has a button to write to it. */
function waId(phone: string): { wa_id?: string } {
  const digits = phone.replace(/\D/g, '');
  return phone.trim().startsWith('+') && digits.length >= 7 && digits.length <= 15 ? { wa_id: digits } : {};
}
