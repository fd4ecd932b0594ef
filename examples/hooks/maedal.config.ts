import { defineConfig } from 'maedal';
import { meteredAmount } from './metered-amount.ts';
import { skipOnVacation } from './skip-on-vacation.ts';
import { stockCheck } from './stock-check.ts';
import { taxInvoice } from './tax-invoice.ts';
import { threeMonthsCoupon } from './three-months-coupon.ts';

/**
 * 달마다상점 with code of its own around each charge. Settings come from the environment, under names of the shop's own:
 * hooks do not see those of maedal. This file only puts values together; each thread of hooks loads it for itself.
 */
const { SHOP_URL = 'http://127.0.0.1:8080', SHOP_TOKEN = '' } = process.env;

export default defineConfig({
  plans: {
    'beans-monthly': { name: '월간 원두 500g', amount: 24_900, currency: 'KRW', interval: 'month' },
    // By use: a hook may raise the charge up to maxAmount. Above that it is held for a person.
    'api-monthly': { name: '원두 API', amount: 10_000, maxAmount: 300_000, currency: 'KRW', interval: 'month' },
  },
  hooks: {
    // Asked in this order. The first that skips, defers or holds ends the asking.
    beforeCharge: [
      skipOnVacation({ shopUrl: SHOP_URL }),
      stockCheck({ warehouseUrl: SHOP_URL, goods: { 'beans-monthly': 'beans' } }),
      meteredAmount({
        meterUrl: SHOP_URL,
        token: SHOP_TOKEN,
        plan: 'api-monthly',
        includedUnits: 1_000,
        pricePerUnit: 5,
      }),
      threeMonthsCoupon({ percentOff: 30, subscriptions: new Set(['sub-1']) }),
    ],
    afterCharge: [taxInvoice({ issuerUrl: SHOP_URL, token: SHOP_TOKEN })],
  },
});
