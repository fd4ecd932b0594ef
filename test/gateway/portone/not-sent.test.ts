import { expect, test } from '@jest/globals';
import { errors } from 'undici';
import { codeOf, failedBeforeTheWire } from '../../../src/gateway/portone/not-sent.ts';

const system = (code: string) => Object.assign(new Error(code), { code, syscall: 'connect', errno: -1 });
const handshake = (code: string) => Object.assign(new Error(code), { code });
const aggregate = (...all: Error[]) => Object.assign(new Error('all failed'), { errors: all, code: 'ECONNREFUSED' });

test.each([
  ['connect timeout', new errors.ConnectTimeoutError()],
  ['refused', system('ECONNREFUSED')],
  ['no such host', system('ENOTFOUND')],
  ['the resolver is away', system('EAI_AGAIN')],
  ['refused on every address', aggregate(system('ECONNREFUSED'), system('ECONNREFUSED'))],
  ['no TLS there', system('EPROTO')],
  ['a certificate that is not trusted', handshake('DEPTH_ZERO_SELF_SIGNED_CERT')],
  ['a certificate that cannot be verified', handshake('UNABLE_TO_VERIFY_LEAF_SIGNATURE')],
  ['a certificate that has expired', handshake('CERT_HAS_EXPIRED')],
  ['a certificate of another host', handshake('ERR_TLS_CERT_ALTNAME_INVALID')],
  ['an old protocol', handshake('ERR_SSL_UNSUPPORTED_PROTOCOL')],
  ['a handshake that breaks off', handshake('ECONNRESET')],
])('a connector that fails by %s sent nothing', (_, error) => {
  expect(failedBeforeTheWire(error)).toBe(true);
});

test.each([
  ['a reset by the other side', system('ECONNRESET')],
  ['a broken pipe', system('EPIPE')],
  ['an unreachable network', system('ENETUNREACH')],
  ['one address refused, one reset', aggregate(system('ECONNREFUSED'), system('ECONNRESET'))],
  ['no address at all', aggregate()],
  ['a socket error', new errors.SocketError('other side closed')],
  ['a timeout of the answer', new errors.HeadersTimeoutError()],
  ['an abort', new errors.RequestAbortedError()],
  ['no code', new Error('what?')],
  ['no error', undefined],
])('%s is not on the list', (_, error) => {
  expect(failedBeforeTheWire(error)).toBe(false);
});

test('an error is named by its code, never by its message', () => {
  expect(codeOf(Object.assign(new Error('Bearer secret'), { code: 'EPIPE' }))).toBe('EPIPE');
  expect(codeOf(new Error('Bearer secret'))).toBe('no code');
});
