import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { resolveConfig } from '../../src/config/resolve.ts';
import { ROOT } from '../support/repository.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'maedal-examples-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('the configuration of the example hooks is a good one, and what is charged by use has a ceiling', async () => {
  const file = join(ROOT, 'examples/hooks/maedal.config.ts');
  const { hooks, plans } = await resolveConfig({ env: { MAEDAL_CONFIG: file }, cwd: folder });
  expect(hooks.beforeCharge.map(({ name }) => name)).toEqual([
    'skip-on-vacation',
    'stock-check',
    'metered-amount',
    'three-months-coupon',
  ]);
  expect(hooks.afterCharge.map(({ name }) => name)).toEqual(['tax-invoice']);
  expect(plans['api-monthly']).toMatchObject({ amount: { minor: 10_000 }, ceilingMinor: 300_000 });
});
