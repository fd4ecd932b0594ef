import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isOpenTo } from '../../src/hooks/address.ts';
import { parseTarget } from '../../src/hooks/target.ts';

const reach = (url: string) => parseTarget(url, {});

test.each([
  // every way to write an address of this machine
  '0',
  '127.1',
  '127.0.0.1',
  '127.255.255.254',
  '017700000001',
  '0177.0.0.1',
  '0x7f.1',
  '0x7f000001',
  '2130706433',
  '127.0.0.1.',
  '127。0。0。1',
  '①②⑦.⓪.⓪.①',
  '%31%32%37.0.0.1',
  '0.0.0.0',
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:7f00:0001]',
  '[::127.0.0.1]',
  '[::7f00:1]',
  // of networks next to it
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '3232235777',
  '100.64.0.1',
  '100.127.255.255',
  '169.254.1.1',
  '[fe80::1]',
  '[fec0::1]',
  '[fc00::1]',
  '[fd12:3456:789a::1]',
  // where machines are told their keys
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '[::ffff:169.254.169.254]',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  '[fd00:ec2::254]',
  // an IPv4 address within an IPv6 one
  '[64:ff9b::7f00:1]',
  '[64:ff9b::8.8.8.8]',
  '[64:ff9b:1::a00:1]',
  '[2002:7f00:1::]',
  '[2002:808:808::1]',
  '[2001:0:4136:e378:8000:63bf:3fff:fdd2]',
  '[::ffff:0:127.0.0.1]',
  '[::ffff:8.8.8.8]',
  // nobody's, or everybody's
  '192.0.2.1',
  '198.51.100.1',
  '203.0.113.1',
  '198.18.0.1',
  '224.0.0.1',
  '239.255.255.250',
  '240.0.0.1',
  '255.255.255.255',
  '[2001:db8::1]',
  '[3fff::1]',
  '[ff02::1]',
  '[100::1]',
  '[4000::1]',
  // names of one machine or one house
  'localhost',
  'localhost.',
  'LOCALHOST',
  'a.localhost',
  'printer.local',
  'metadata.google.internal',
  'router.home.arpa',
  'intranet',
  'x.test',
])('https://%s/ is refused before anything is asked of the network', (host) => {
  expect(reach(`https://${host}/`)).toMatchObject({ kind: 'refused' });
});

test.each([
  ['http://shop.example/', 'nothing is open to http'],
  ['ftp://shop.example/', 'it starts with ftp://'],
  ['file:///etc/passwd', 'it starts with file://'],
  ['https://user:word@shop.example/', 'it holds a user name or password'],
  ['https://8.8.8.8@127.0.0.1/', 'it holds a user name or password'],
  ['https://shop.example:22/', 'nothing is open to https on port 22'],
  ['https://shop.example:80/', 'nothing is open to https on port 80'],
  ['https://[fe80::1%25lo]/', 'it is not an address such as https://shop.example/hooks'],
  ['shop.example/hooks', 'it is not an address such as https://shop.example/hooks'],
  ['', 'it is not an address such as https://shop.example/hooks'],
])('%s is refused: %s', (url, reason) => {
  expect(reach(url)).toEqual({ kind: 'refused', reason });
});

test.each([
  ['https://shop.example/hooks?key=1', 'shop.example', false],
  ['https://shop.example.:443/', 'shop.example', false],
  ['https://결제.example/', 'xn--p89a133c.example', false],
  ['https://8.8.8.8/', '8.8.8.8', true],
  ['https://[2606:4700:4700::1111]/', '2606:4700:4700::1111', true],
  ['https://shop.example:8443/', 'shop.example', false],
  ['https://172.32.0.1/', '172.32.0.1', true],
  ['https://100.128.0.1/', '100.128.0.1', true],
])('%s may be asked for', (url, host, isAddress) => {
  expect(reach(url)).toMatchObject({ kind: 'target', host, isAddress });
});

test('config opens what it names, by http and on any port, and nothing beside it', () => {
  const allow = { addresses: ['10.1.0.0/16', '::1'] };
  const kindOf = (url: string) => parseTarget(url, allow).kind;
  expect(kindOf('http://10.1.2.3:8080/')).toBe('target');
  expect(kindOf('https://[::1]:8081/')).toBe('target');
  expect(kindOf('http://erp.internal:8080/')).toBe('target'); // what it resolves to is checked against the same ranges
  expect(kindOf('https://8.8.8.8/')).toBe('target');
  expect(kindOf('http://8.8.8.8/')).toBe('refused');
  expect(kindOf('https://8.8.8.8:22/')).toBe('refused');
  expect(kindOf('http://10.2.0.1:8080/')).toBe('refused');
  expect(kindOf('http://127.0.0.1:8080/')).toBe('refused');
  expect(kindOf('ftp://10.1.2.3/')).toBe('refused');
});

test('no spelling of an address of these networks is open', () => {
  const closed = fc.oneof(
    fc.tuple(fc.constantFrom(0, 10, 127), fc.nat(255), fc.nat(255), fc.nat(255)),
    fc.tuple(fc.constant(192), fc.constant(168), fc.nat(255), fc.nat(255)),
    fc.tuple(fc.constant(169), fc.constant(254), fc.nat(255), fc.nat(255)),
    fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), fc.nat(255), fc.nat(255)),
    fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), fc.nat(255), fc.nat(255)),
  );
  fc.assert(
    fc.property(closed, (parts) => {
      const [a, b, c, d] = parts;
      const number = ((a * 256 + b) * 256 + c) * 256 + d;
      const hex = (value: number) => value.toString(16).padStart(4, '0');
      const pair = `${hex(a * 256 + b)}:${hex(c * 256 + d)}`;
      for (const host of [
        parts.join('.'),
        String(number),
        `0x${number.toString(16)}`,
        `0${number.toString(8)}`,
        parts.map((part) => `0x${part.toString(16)}`).join('.'),
        parts.map((part) => `0${part.toString(8)}`).join('.'),
        `${a}.${(b * 256 + c) * 256 + d}`,
        `[::ffff:${pair}]`,
        `[64:ff9b::${pair}]`,
        `[2002:${pair}::1]`,
        `[::${pair}]`,
      ])
        expect([host, reach(`https://${host}/`).kind]).toEqual([host, 'refused']);
    }),
    { numRuns: 300 },
  );
});

test.each(['', 'shop.example', 'fe80::1%lo', '1.2.3', '127.0.0.1'])('%j is open to nothing', (text) => {
  expect(isOpenTo(text, [])).toBe(false);
});
