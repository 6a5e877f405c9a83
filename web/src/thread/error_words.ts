/**
 * Why a message was not delivered, in an agent's words.
 *
 * <https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>
 */
import type { MessageDescriptor } from '@lingui/core';
import { msg } from '@lingui/core/macro';
import { ApiError } from '../api/client';
import type { Message } from '../api/types';
import type { OutboxError } from '../store/outbox';

const UNKNOWN = msg`WhatsApp did not deliver this message.`;
const WINDOW = msg`More than 24 hours have passed since the customer’s last message. Only a template can be sent now.`;
const OPTED_OUT = msg`The customer does not want marketing messages.`;
const TOO_MANY = msg`Too many messages were sent in a short time. Try again in a while.`;
const WHATSAPP_DOWN = msg`WhatsApp has a problem at the moment. Try again in a while.`;
const ACCOUNT = msg`The WhatsApp account may not send at the moment. An administrator has to look at it.`;
const MEDIA = msg`WhatsApp could not use the file. It may be damaged, too large, or of a type that it does not support.`;
const TEMPLATE = msg`WhatsApp did not accept the template. It may have been changed, paused or removed.`;
const FIELDS = msg`WhatsApp did not accept something in this message.`;

const WORDS: Readonly<Record<number, MessageDescriptor>> = {
  1: WHATSAPP_DOWN,
  2: WHATSAPP_DOWN,
  4: TOO_MANY,
  100: FIELDS,
  368: ACCOUNT,
  80007: TOO_MANY,
  130429: TOO_MANY,
  130472: msg`WhatsApp held this message back because of an experiment with this customer.`,
  130497: msg`The account may not write to customers in this country.`,
  131000: WHATSAPP_DOWN,
  131008: FIELDS,
  131009: FIELDS,
  131016: WHATSAPP_DOWN,
  131021: msg`A number cannot write to itself.`,
  131026: msg`The message cannot be delivered. The customer may not use WhatsApp, may use an old version, or has not accepted its new terms.`,
  131030: msg`This customer is not among those that a test number may write to.`,
  131031: ACCOUNT,
  131042: msg`The WhatsApp account has a payment problem. An administrator has to look at it.`,
  131045: msg`The phone number is not registered with WhatsApp. An administrator has to look at it.`,
  131047: WINDOW,
  131048: msg`WhatsApp limits this number because customers reported its messages.`,
  131049: msg`WhatsApp held this message back, because the customer gets many marketing messages. Do not send it again today.`,
  131050: OPTED_OUT,
  131051: msg`WhatsApp does not support this type of message.`,
  131052: MEDIA,
  131053: MEDIA,
  131056: msg`Too many messages went to this customer in a short time. Try again in a while.`,
  131057: WHATSAPP_DOWN,
  131062: FIELDS,
  132000: TEMPLATE,
  132001: TEMPLATE,
  132005: TEMPLATE,
  132007: TEMPLATE,
  132012: TEMPLATE,
  132015: msg`The template is paused, because customers gave it low ratings.`,
  132016: msg`The template was disabled, because customers gave it low ratings.`,
  132068: TEMPLATE,
  132069: TEMPLATE,
  135000: WHATSAPP_DOWN,
};

const OWN_WORDS: Readonly<Record<string, MessageDescriptor>> = {
  customer_service_window_closed: WINDOW,
  marketing_opted_out: OPTED_OUT,
  message_failed: UNKNOWN,
  network: msg`There is no connection.`,
  timeout: msg`There is no connection.`,
  too_many_uploads: msg`Too many files were added in a short time. Try again in a while.`,
  cannot_resend: msg`This browser does not have what was sent. Write the message again.`,
  not_found: msg`This conversation is no longer here.`,
  unconfirmed: msg`It is not known whether the customer got this message. Look at the conversation before you send it again.`,
};

/** What is said of a message that failed at WhatsApp, or that we gave up. */
export function failureWords(error: Message['error']): MessageDescriptor {
  if (!error) return UNKNOWN;
  if (error.code === null || error.code === undefined) return OWN_WORDS[error.title?.toLowerCase() ?? ''] ?? UNKNOWN;
  return WORDS[error.code] ?? UNKNOWN;
}

/** What is said of one that never left the browser. */
export function outboxWords(error: OutboxError): MessageDescriptor {
  return OWN_WORDS[error.code] ?? msg`The message could not be sent.`;
}

/** What is said where sending again fails: a message that WhatsApp refuses once more tells that itself. */
export function resendWords(error: unknown): MessageDescriptor {
  const known = error instanceof ApiError && error.code !== 'message_failed' ? OWN_WORDS[error.code] : undefined;
  return known ?? msg`It could not be sent again.`;
}

/** Whether only a template may be sent instead. */
export function wantsTemplate(error: { readonly code?: number | string | null | undefined }): boolean {
  return error.code === 131047 || error.code === 'customer_service_window_closed';
}
