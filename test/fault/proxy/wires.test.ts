import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HttpWire } from './http-wire.ts';
import { PostgresWire } from './postgres-wire.ts';
import { RedisWire } from './redis-wire.ts';
import type { Wire } from './wire.ts';

const message = (type: string, body: string) => {
  const bytes = Buffer.alloc(type.length + 4 + Buffer.byteLength(body));
  bytes.write(type);
  bytes.writeInt32BE(4 + Buffer.byteLength(body), type.length);
  bytes.write(body, type.length + 4);
  return bytes;
};
const startup = Buffer.concat([Buffer.from([0, 0, 0, 17, 0, 3, 0, 0]), Buffer.from('user\0me\0\0')]);
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

const ASKED: readonly (readonly [string, () => Wire, Buffer, (string | null)[]])[] = [
  [
    'Postgres',
    () => new PostgresWire(),
    Buffer.concat([
      sslRequest,
      startup,
      message('p', 'secret\0'),
      message('P', 'one\0SELECT\n   1\0\0\0'),
      message('B', '\0one\0\0\0\0\0\0\0'),
      message('E', '\0\0\0\0\0'),
      message('S', ''),
      message('Q', 'COMMIT\0'),
      message('B', '\0one\0\0\0\0\0\0\0'),
      message('H', ''),
      message('S', ''),
      message('X', ''),
    ]),
    [null, 'startup', null, 'SELECT 1', 'COMMIT', 'SELECT 1', null, null],
  ],
  [
    'Redis',
    () => new RedisWire(),
    Buffer.from('*2\r\n$4\r\nLLEN\r\n$6\r\na\r\nb$9\r\nPING\r\n*1\r\n$4\r\nEXEC\r\n'),
    ['llen', 'ping', 'exec'],
  ],
  [
    'HTTP',
    () => new HttpWire(),
    Buffer.from(
      'GET /a?b=1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /c HTTP/1.1\r\nContent-Length: 6\r\n\r\n\r\n\r\n12' +
        'PUT /d HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: 1\r\n\r\nGET /e HTTP/1.1\r\n\r\n',
    ),
    ['GET /a?b=1', 'POST /c', 'PUT /d', 'GET /e'],
  ],
];

test.each(ASKED)('%s: requests are the same however the stream is cut into pieces', (_, make, stream, subjects) => {
  fc.assert(
    fc.property(cuts(stream), (chunks) => {
      const wire = make();
      const requests = chunks.flatMap((chunk) => wire.fromClient(chunk));
      expect(requests.map(({ subject }) => subject)).toEqual(subjects);
      expect(Buffer.concat(requests.map(({ bytes }) => bytes))).toEqual(stream);
    }),
  );
});

const REPLIES: readonly (readonly [string, () => Wire, Buffer, Buffer, number])[] = [
  [
    'Postgres',
    () => new PostgresWire(),
    startup,
    Buffer.concat([
      message('R', '\0\0\0\x0a'),
      message('R', '\0\0\0\0'),
      message('Z', 'I'),
      message('A', 'note'),
      message('D', 'row'),
      message('Z', 'I'),
    ]),
    2,
  ],
  [
    'Redis',
    () => new RedisWire(),
    Buffer.alloc(0),
    Buffer.from(
      '+OK\r\n$-1\r\n*-1\r\n*2\r\n:1\r\n*1\r\n$2\r\n\r\n\r\n>1\r\n+push\r\n%1\r\n+k\r\n_\r\n|1\r\n+a\r\n#t\r\n,1.5\r\n=5\r\ntxt:x\r\n-ERR no\r\n',
    ),
    8,
  ],
  [
    'HTTP',
    () => new HttpWire(),
    Buffer.from('GET /a HTTP/1.1\r\n\r\nHEAD /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\nGET /d HTTP/1.1\r\n\r\n'),
    Buffer.from(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' +
        'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No\r\n\r\n' +
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    ),
    4,
  ],
];

test.each(REPLIES)('%s: replies end in the same places however the stream is cut', (_, make, asked, stream, ends) => {
  fc.assert(
    fc.property(cuts(stream), (chunks) => {
      const wire = make();
      wire.fromClient(asked);
      const pieces = chunks.flatMap((chunk) => wire.fromServer(chunk));
      expect(Buffer.concat(pieces.map(({ bytes }) => bytes))).toEqual(stream);
      expect(pieces.filter(({ part }) => part === 'last')).toHaveLength(ends);
      expect(pieces.at(-1)?.part).toBe('last');
    }),
  );
});

/** The stream in pieces, cut at any places, single bytes included. */
function cuts(stream: Buffer): fc.Arbitrary<Buffer[]> {
  return fc.array(fc.nat(stream.length), { maxLength: stream.length }).map((places) => {
    const edges = [0, ...places, stream.length].sort((a, b) => a - b);
    return edges.slice(1).map((edge, index) => stream.subarray(edges[index], edge));
  });
}
