import { createPortOne } from '../../../src/gateway/portone/client.ts';
import { gatewayConformance } from '../conformance.ts';
import { keepBooks } from '../fake-books.ts';
import { startFakePortOne } from '../fake-portone.ts';
import { handClock } from '../hand-clock.ts';

gatewayConformance('the PortOne client over a fake server', async () => {
  const fake = await startFakePortOne();
  keepBooks(fake, 'the-right-secret');
  const options = { baseUrl: fake.url, key: 'imp_test', clock: handClock(), connections: 4 };
  return {
    gateway: createPortOne({ ...options, secret: 'the-right-secret' }),
    stranger: createPortOne({ ...options, secret: 'another-secret' }),
    approving: 'card-1',
    declining: 'card-2',
    unknown: 'card-3',
    close: () => fake.close(),
  };
});
