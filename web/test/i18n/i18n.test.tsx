// @vitest-environment happy-dom
import { Trans } from '@lingui/react/macro';
import { render, screen } from '@testing-library/react';
import { expect, test } from 'vitest';
import { createFormat } from '../../src/i18n/format';
import { closestLocale, directionOf, formatTag, Language } from '../../src/i18n/i18n';

test('the first of the wanted languages that there are texts for is taken, else English', () => {
  expect(closestLocale('pt-BR')).toBe('pt');
  expect(closestLocale(['de-DE', 'AR-eg', 'es'])).toBe('ar');
  expect(closestLocale(['de', 'fr'])).toBe('en');
});

test('Arabic and its neighbours are written from the right', () => {
  expect(['ar', 'ar-EG', 'he', 'fa-IR', 'AR'].map(directionOf)).toEqual(['rtl', 'rtl', 'rtl', 'rtl', 'rtl']);
  expect(['en', 'arn', 'pt'].map(directionOf)).toEqual(['ltr', 'ltr', 'ltr']);
});

test('Arabic without a country has the digits of phone numbers, with one that country’s', () => {
  expect(formatTag('ar')).toBe('ar-u-nu-latn');
  expect(createFormat('ar', 'UTC').number(123)).toBe('123');
  expect(createFormat('ar-EG', 'UTC').number(123)).toBe('١٢٣');
});

test('a host’s own texts take the place of ours, with what is filled in', async () => {
  const name = 'Ada';
  render(
    <Language locale="en" messages={{ 'Hello {name}, welcome': 'Good day, {name}' }}>
      <Trans>Hello {name}, welcome</Trans>
    </Language>,
  );
  expect(await screen.findByText('Good day, Ada')).toBeTruthy();
});

test('two languages stand side by side', async () => {
  render(
    <>
      <Language locale="en" messages={{ 'How are you here?': 'One' }}>
        <p>
          <Trans>How are you here?</Trans>
        </p>
      </Language>
      <Language locale="es" messages={{ 'How are you here?': 'Two' }}>
        <p>
          <Trans>How are you here?</Trans>
        </p>
      </Language>
    </>,
  );
  expect(await screen.findByText('One')).toBeTruthy();
  expect(await screen.findByText('Two')).toBeTruthy();
});
