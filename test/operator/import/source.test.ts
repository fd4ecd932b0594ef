import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeText, FileFault } from '../../../src/operator/import/decode.ts';
import { jsonArray } from '../../../src/operator/import/json-array.ts';
import { readRows } from '../../../src/operator/import/source.ts';
import { csv, SOUND, soundRow } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'maedal-source-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The rows of a file as `line: subscription_id`, its problems as `line: reason`. */
async function read(content: string | Buffer): Promise<string[]> {
  const path = join(folder, 'rows');
  writeFileSync(path, content);
  const found: string[] = [];
  for await (const row of readRows(path)) {
    found.push(`${row.line}: ${row.kind === 'row' ? row.cells.get('subscription_id') + row.note : row.reason}`);
  }
  return found;
}

describe('CSV', () => {
  const two = csv(soundRow(1), soundRow(2));
  test.each<[string, string | Buffer]>([
    ['as it is', two],
    ['with a byte-order mark', `\uFEFF${two}`],
    ['with the line ends of Windows', two.replaceAll('\n', '\r\n')],
    ['with the line ends of old Macs', two.replaceAll('\n', '\r')],
    ['without a line end at its end', two.trimEnd()],
    ['with blanks around its fields', two.replaceAll(',', ' , ')],
    ['with every field in quotes', two.replaceAll(/[^,\n]+/g, '"$&"')],
  ])('is read %s', async (_, text) => {
    expect(await read(text)).toEqual(['2: sub-1', '3: sub-2']);
  });

  test('a line number is that of the file, past blank lines and line breaks in quotes, however lines end', async () => {
    const rows = csv({ ...SOUND, name: 'one\ntwo\n\nthree' }, soundRow(2), soundRow(3));
    const text = `\n${rows.replace('sub-2', '\n , ,\nsub-2')}`;
    for (const content of [text, text.replaceAll('\n', '\r\n')]) {
      expect(await read(content)).toEqual(['3: sub-1', '9: sub-2', '10: sub-3']);
    }
  });

  test('fields beyond the header are passed over when empty, and refused otherwise; so are missing ones', async () => {
    const [header = '', one = '', two = '', three = ''] = csv(soundRow(1), soundRow(2), soundRow(3)).split('\n');
    expect(await read([header, `${one},,`, `${two},,x`, three.split(',').slice(0, 4).join(',')].join('\n'))).toEqual([
      '2: sub-1',
      '3: 12 fields where the header has 10',
      '4: 4 fields where the header has 10',
    ]);
  });

  test('quotes and commas inside quotes are text', async () => {
    const path = join(folder, 'rows');
    writeFileSync(path, csv({ ...SOUND, name: 'a "b", c' }));
    for await (const row of readRows(path)) {
      expect(row.kind === 'row' && row.cells.get('name')).toBe('a "b", c');
    }
  });

  const remedy = 'put a field with quotes inside quotes, and write each of them twice';
  test.each([
    ['a quote never closed', 'sub-2', '"sub-2', ['2: sub-1', `3: a quote that opens here is never closed; ${remedy}`]],
    ['a quote inside a field', 'sub-2', 'su"b-2', ['2: sub-1', `3: a stray quote; ${remedy}`]],
    ['text behind a quote', 'sub-2', '"sub"-2', ['2: sub-1', `3: a stray quote; ${remedy}`]],
  ])('%s is refused with its line', async (_, from, to, expected) => {
    expect(await read(csv(soundRow(1), soundRow(2), soundRow(3)).replace(from, to))).toEqual(expected);
  });

  test('a quote left open in a large file is found without reading all of it', async () => {
    const text = csv(soundRow(1), ...Array.from({ length: 3_000 }, (_, index) => soundRow(index + 2)));
    const told =
      '3: a row of more than 65536 characters: a field is too large, or a quote that opens here is never closed';
    expect(await read(text.replace('sub-2,', '"sub-2,'))).toEqual(['2: sub-1', told]);
    expect(await read(text.replace('sub-2,', `${'x'.repeat(1_000_000)},`))).toEqual(['2: sub-1', told]);
  });

  test('a header alone has no rows', async () => {
    expect(await read(csv(SOUND).split('\n')[0] ?? '')).toEqual([]);
  });
});

describe('JSON', () => {
  test('an array is read with the line on which each object begins', async () => {
    const rows = [{ ...SOUND, amount: 9900 }, soundRow(2), { ...soundRow(3), name: 'a } "b" \\ { ]' }];
    expect(await read(JSON.stringify(rows, null, 2))).toEqual([
      '2: sub-1 (row 1)',
      '14: sub-2 (row 2)',
      '26: sub-3 (row 3)',
    ]);
    expect(await read(`\uFEFF ${JSON.stringify(rows)}`)).toEqual([
      '1: sub-1 (row 1)',
      '1: sub-2 (row 2)',
      '1: sub-3 (row 3)',
    ]);
    expect(await read('[ ]')).toEqual([]);
  });

  test('numbers and text mean the same, null is a blank, and backup keys may be a list', async () => {
    const path = join(folder, 'rows');
    const row = { ...SOUND, amount: 9.9, interval_count: 1, plan: null, backup_customer_uids: ['b-1', 'b-2'] };
    writeFileSync(path, JSON.stringify([row]));
    for await (const read of readRows(path)) {
      if (read.kind !== 'row') throw new Error(read.reason);
      expect(Object.fromEntries(read.cells)).toEqual({
        ...SOUND,
        amount: '9.9',
        interval_count: '1',
        backup_customer_uids: 'b-1;b-2',
      });
    }
  });

  test.each<[string, string, string[]]>([
    [
      'an unknown key',
      '[{"subscripton_id":"a"}]',
      ["1: 'subscripton_id' is not a column; did you mean subscription_id? (row 1)"],
    ],
    [
      'a value that is no cell',
      '[{"plan":true,"name":{}}]',
      ['1: plan: write text or a number (row 1)', '1: name: write text or a number (row 1)'],
    ],
    [
      'a number that would come out as another one',
      '[{"customer_id":12345678901234567890}]',
      ['1: customer_id: a number too long to be read exactly; write it in quotes (row 1)'],
    ],
    ['a row that is no object', '[\n1]', ["2: an object or ] must follow, not '1' (row 1)"]],
    ['a later row that is no object', '[{},{},\n5]', ["2: an object must follow, not '5' (row 3)"]],
    ['two arrays', '[]\n[]', ["2: nothing may follow the array, not '['"]],
    ['no comma', '[{}\n{}]', ["2: a comma or ] must follow, not '{'"]],
    ['a comma too many', '[{},\n]', ["2: an object must follow, not ']' (row 2)"]],
    ['a file cut off', '[{},\n{"name":"x', ['2: the array is never closed; is the file whole?']],
    [
      'broken JSON, at its own line',
      '[{\n"name":"x"\n"plan":1}]',
      ["3: not JSON: Expected ',' or '}' after property value"],
    ],
  ])('%s is refused', async (_, text, expected) => {
    const found = await read(text);
    expect(found.filter((line) => !line.includes('undefined'))).toEqual(expected);
  });

  test('JSON Lines are read a line at a time, and a bad one spoils no other', async () => {
    const lines = [JSON.stringify(soundRow(1)), '', '{"name":', '[1]', '"x"', JSON.stringify(soundRow(2))];
    const expected = [
      '1: sub-1',
      '3: not a JSON object on one line; or put the rows in an array, [ … ]',
      '4: a row must be an object, { "subscription_id": … }',
      '5: a row must be an object, { "subscription_id": … }',
      '6: sub-2',
    ];
    expect(await read(lines.join('\n'))).toEqual(expected);
    expect(await read(`${lines.join('\r\n')}\r\n`)).toEqual(expected);
  });

  test('however an array comes in pieces, the rows are the same', async () => {
    const text = JSON.stringify([soundRow(1), { ...soundRow(2), name: '"}]\\' }, soundRow(3)], null, 1);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(text.length)), async (cuts) => {
        const rows = [];
        for await (const row of jsonArray(pieces(text, cuts))) rows.push(row.kind === 'row' ? row.line : row.reason);
        expect(rows).toEqual([2, 14, 26]);
      }),
    );
  });
});

describe('bytes', () => {
  test('however a file comes in pieces, the text is the same', async () => {
    const text = '\uFEFF이름,\r\n값 😀\r한\n끝\r';
    const bytes = Buffer.from(text);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
        const found: string[] = [];
        for await (const piece of decodeText(pieces(bytes, cuts))) found.push(piece);
        expect(found.join('')).toBe('이름,\n값 😀\n한\n끝\n');
      }),
    );
  });

  test.each<[string, Buffer, number]>([
    ['Korean as Windows writes it', Buffer.concat([Buffer.from('a\nb\n'), Buffer.from([0xb1, 0xe8, 0x0a])]), 3],
    ['half a character at the end', Buffer.from('a\n한').subarray(0, 4), 2],
    ['UTF-16', Buffer.from('\uFEFFa,b', 'utf16le'), 1],
    ['a NUL', Buffer.from('a\n\nb\0c'), 3],
  ])('%s is refused with its line, however the file comes in pieces', async (_, bytes, line) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
        const fault = await all(decodeText(pieces(bytes, cuts))).catch((error: unknown) => error);
        expect(fault).toBeInstanceOf(FileFault);
        expect(fault).toMatchObject({ line });
      }),
    );
  });

  test('a file of a spreadsheet that is not UTF-8 says what to do', async () => {
    const korean = Buffer.from([0xb1, 0xe8]);
    expect(await read(Buffer.concat([Buffer.from(csv(SOUND)), korean]))).toEqual([
      '3: not UTF-8; save the file as "CSV UTF-8" or convert it',
    ]);
  });

  test.each(['', ' \n\n', '\uFEFF'])('a file of nothing (%j) is refused', async (text) => {
    expect(await read(text)).toEqual(['1: the file is empty']);
  });
});

async function* pieces<T extends string | Buffer>(whole: T, cuts: readonly number[]): AsyncGenerator<T> {
  let start = 0;
  for (const cut of [...cuts].sort((a, b) => a - b).concat(whole.length)) {
    yield (typeof whole === 'string' ? whole.slice(start, cut) : whole.subarray(start, cut)) as T;
    start = cut;
  }
}

async function all(text: AsyncIterable<string>): Promise<string> {
  let whole = '';
  for await (const piece of text) whole += piece;
  return whole;
}
