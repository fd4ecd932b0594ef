import { expect, test } from '@jest/globals';
import { type Network, sourceCheck, sourceReader } from '../../src/inbound/source.ts';

const networks = (...texts: string[]): Network[] =>
  texts.map((text) => {
    const [address = '', bits] = text.split('/');
    return { address, bits: Number(bits ?? (address.includes(':') ? 128 : 32)) };
  });
const PORTONE = networks('52.78.100.19', '52.78.48.223', '52.78.5.241');

function allows(peer: string, forwardedFor: string, trustedProxies: readonly Network[] = []): boolean {
  const rules = { from: PORTONE, trustedProxies };
  return sourceCheck(rules)(sourceReader(rules)(peer, forwardedFor));
}

test.each([
  ['52.78.100.19', '', true],
  ['::ffff:52.78.5.241', '', true], // as a socket of both families writes it
  ['203.0.113.9', '', false],
  ['', '', false],
  ['203.0.113.9', '52.78.100.19', false], // anybody can write that
])('without a proxy the peer counts alone: %p with X-Forwarded-For %p → %p', (peer, header, expected) => {
  expect(allows(peer, header)).toBe(expected);
});

test.each([
  ['10.0.0.5', '52.78.100.19', true],
  ['::ffff:10.0.0.5', '52.78.100.19', true],
  ['10.0.0.5', '52.78.100.19, 10.0.0.7', true], // two proxies of ours
  ['10.0.0.5', '52.78.100.19,203.0.113.9', false], // the sender wrote the first
  ['10.0.0.5', '203.0.113.9, 52.78.48.223', true],
  ['10.0.0.5', '', false], // it does not say for whom
  ['10.0.0.5', 'unknown', false],
  ['10.0.0.5', '52.78.100.19:80, 10.0.0.7', false],
  ['203.0.113.9', '52.78.100.19', false], // not a proxy of ours
  ['fd00::5', '52.78.100.19', true],
])('behind trusted proxies the right-most other address counts: %p, %p → %p', (peer, header, expected) => {
  expect(allows(peer, header, networks('10.0.0.0/8', 'fd00::/8'))).toBe(expected);
});

test('without a list webhooks are taken from anywhere', () => {
  expect(sourceCheck({ from: null, trustedProxies: [] })(null)).toBe(true);
});
