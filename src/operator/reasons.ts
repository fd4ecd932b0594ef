/** A reason as a person would say it, with its code; what is no code is a sentence already. */
export function inWords(reason: string): string {
  const words = REASONS[reason];
  return words === undefined ? reason : `${words} (${reason})`;
}

const REASONS: Readonly<Record<string, string>> = {
  retries_exhausted: 'declined on the last rung of its policy',
  account_refused: 'the payment company refused the merchant’s account on the last rung; mend that, then release',
  awaiting_card: 'no card is left to try, and another one is waited for',
  no_card_left: 'no card was left to try, and no other came',
  written_off: 'given up, and owed no more: its policy lets the subscription go on',
  subscription_canceled: 'the subscription ended before it was charged',
  subscription_stopped: 'the subscription is paused or stands unpaid',
  catch_up: 'missed during an outage',
  over_max_amount: 'more than limits.maxAmount allows',
  over_ceiling: 'a before-hook made more of it than its plan allows',
  billing_key_unknown: 'PortOne does not know the card’s customer_uid',
  billing_key_kind_unknown: 'PortOne does not say whether the card is for tests',
  live_key_in_test: 'a live card in a test installation',
  test_key_in_live: 'a test card in a live installation',
};
