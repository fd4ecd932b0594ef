import { didYouMean } from '../nearest-name.ts';

/** Whether PortOne calls a payment company so, or this is `any`, which stands for all of them. */
export function isPgProvider(name: string): boolean {
  return name === 'any' || PG_PROVIDERS.includes(name);
}

/** What is wrong with such a name. */
export function pgProviderProblem(name: string): string {
  return `write a pg_provider of PortOne V1's, or any for all of them${didYouMean(name, ['any', ...PG_PROVIDERS])}`;
}

/** `pg_provider` of whoever charges a stored instrument through PortOne V1, or did (fact sheet §3.1, §3.4, §8.1). */
const PG_PROVIDERS: readonly string[] = [
  ...['chai', 'danal', 'danal_tpay', 'daou', 'eximbay', 'galaxia', 'html5_inicis', 'inicis', 'jtnet', 'kakaopay'],
  ...['kcp', 'kcp_billing', 'kcp_quick', 'kicc', 'ksnet', 'mobilians', 'naverpay', 'nice', 'nice_v2', 'payco'],
  ...['payletter_global', 'paymentwall', 'paypal_v2', 'settle', 'settle_acc', 'settle_firm', 'smartro', 'smartro_v2'],
  ...['tosspay_v2', 'tosspayments', 'uplus', 'welcome'],
];
