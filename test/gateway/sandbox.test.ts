import { systemClock } from '../../src/clock.ts';
import { createPortOne } from '../../src/gateway/portone/client.ts';
import { storeTestCards } from '../../src/gateway/portone/test-cards.ts';
import { startSandbox } from '../../src/sandbox/server.ts';
import { gatewayConformance } from './conformance.ts';

gatewayConformance('the PortOne client over the sandbox', async () => {
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0, directory: null, clock: systemClock });
  await storeTestCards(sandbox.url, [
    { customerUid: 'card-1', card: 'approve' },
    { customerUid: 'card-2', card: 'decline_funds' },
  ]);
  const options = { baseUrl: sandbox.url, key: 'imp_sandbox', clock: systemClock, connections: 4 };
  return {
    gateway: createPortOne({ ...options, secret: 'sandbox_secret' }),
    stranger: createPortOne({ ...options, secret: 'another-secret' }),
    approving: 'card-1',
    declining: 'card-2',
    unknown: 'card-3',
    close: () => sandbox.close(),
  };
});
