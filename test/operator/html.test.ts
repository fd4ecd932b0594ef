import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { html } from '../../src/operator/html.ts';

test('any string renders as text, inside an element and inside an attribute', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const page = String(html`<p title="${text}">${text}</p>`);
      const [, title = '', body = ''] = /^<p title="([^"<>]*)">([^<>]*)<\/p>$/s.exec(page) ?? [];
      const read = (escaped: string) =>
        escaped.replace(/&#(\d+);/g, (_match, code) => String.fromCharCode(Number(code)));
      expect([read(title), read(body)]).toEqual([text, text]);
    }),
  );
});

test('markup is put in as it is, and a list of it one after the other', () => {
  const items = ['<1>', '2'].map((text) => html`<li>${text}</li>`);
  expect(String(html`<ul>${items}</ul>`)).toBe('<ul><li>&#60;1&#62;</li><li>2</li></ul>');
});
