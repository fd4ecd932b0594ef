import { expect, test } from '@jest/globals';
import { resolveWebhooks, webhooksSchema } from '../../src/config/webhooks.ts';

function resolved(section: unknown, mode: 'test' | 'live' = 'live') {
  const problems: string[] = [];
  return { webhooks: resolveWebhooks(webhooksSchema.parse(section), mode, problems), problems };
}

test('a public address becomes the address that charges ask for; without one they ask for none', () => {
  const { webhooks, problems } = resolved({ publicUrl: 'https://billing.example.com' });
  expect(webhooks.noticeUrl).toBe('https://billing.example.com/webhooks/portone');
  expect(problems).toEqual([]);
  expect(resolved({}).webhooks).toEqual({ noticeUrl: null, from: null, trustedProxies: [] });
});

test('live takes no http address, not even of this machine', () => {
  expect(resolved({ publicUrl: 'http://127.0.0.1:8080' }, 'test').problems).toEqual([]);
  expect(resolved({ publicUrl: 'http://127.0.0.1:8080' }).problems).toEqual([
    "webhooks.publicUrl is 'http://127.0.0.1:8080': live takes an https address only",
  ]);
});

test('networks are read with their bits, `portone` as the addresses that PortOne names', () => {
  const { webhooks } = resolved({ from: ['10.0.0.0/8', '::1'], trustedProxies: ['192.0.2.1'] });
  expect(webhooks.from).toEqual([
    { address: '10.0.0.0', bits: 8 },
    { address: '::1', bits: 128 },
  ]);
  expect(webhooks.trustedProxies).toEqual([{ address: '192.0.2.1', bits: 32 }]);
  expect(resolved({ from: 'portone' }).webhooks.from).toHaveLength(3);
});

test.each([
  { publicUrl: 'http://billing.example.com' },
  { publicUrl: 'billing' },
  { from: 'somewhere' },
  { from: ['10.0.0.0/33'] },
  { trustedProxies: ['proxy.example'] },
  { secret: 'x' },
])('%j is refused', (section) => {
  expect(webhooksSchema.safeParse(section).success).toBe(false);
});
