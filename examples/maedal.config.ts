import { defineConfig } from 'maedal';

/**
 * 달마다상점: a small shop that sends coffee beans and a magazine to its members.
 *
 * Copy this file beside your package.json as `maedal.config.ts` and change what is yours. It is checked as a whole
 * when maedal starts, and every mistake is told with its path. It may compute values, but must do nothing else: each
 * process loads it for itself.
 */
export default defineConfig({
  // When maedal looks for what is due, as cron. A missed run loses nothing: the next one finds it.
  schedule: '* * * * *',

  // The zone of the line above, and of subscribers who name none.
  timezone: 'Asia/Seoul',

  // Anchors without a time fall due at this local time. Not at midnight, when banks do their maintenance.
  chargeAt: '10:00',

  // After an outage: charge the newest period only, and hold older ones until a person decides.
  catchUp: 'latest',

  // What is sold. A row of the import names its plan, and the plan fills the cells that the row leaves blank; price and
  // interval are kept with the subscription from then on. A new price here is for those who come in later.
  plans: {
    'beans-weekly': {
      name: '주간 원두 200g', // on the payer's statement: at most 40 characters
      amount: 12_900, // major units: won here, '9.90' for dollars
      currency: 'KRW',
      interval: 'week',
    },
    'beans-monthly': {
      name: '월간 원두 500g',
      amount: 24_900,
      currency: 'KRW',
      interval: 'month', // from the 31st: 31 January, 28 February, 31 March
      policy: 'patient',
    },
    'magazine-yearly': {
      name: '계간 커피잡지 1년',
      amount: 68_000,
      currency: 'KRW',
      interval: 'year',
    },
  },

  // What follows a decline, by name. `default` serves every plan that names none.
  dunning: {
    default: { retryAfterDays: [1, 3, 5] }, // days after the due date; then the invoice ends unpaid
    patient: {
      retryAfterDays: [1, 3, 7, 14],
      classes: { funds: { retryAfterDays: [1, 3, 'payday', 'payday'] } },
      steps: [
        { name: 'reminded', afterDays: 3 }, // the event `dunning.step_entered`, and hooks under `onDunningStep`
        { name: 'last-notice', afterDays: 6 },
      ],
    },
  },

  // What a decline means, where the tables that maedal ships do not know it or you know better: by the payment company's
  // pg_provider, or `any`. `maedal declines` shows what came.
  declines: {
    // nice: { codes: { '2116': 'funds' } },
    // any: { texts: { '카드사 확인 요망': 'card' } },
  },

  // One channel per contract with a payment company, by the name that the import's column `channel` uses. Whoever names
  // none has `default`, which needs no entry. Ask your payment company how many calls a second it allows.
  channels: {
    // default: { pg: 'nice.YOUR_MID', ratePerSecond: 50 },
  },

  // A ceiling for any single charge, whatever a file says: in minor units, by currency.
  limits: {
    // maxAmount: { KRW: 1_000_000 },
  },
});
