/** What charging a card comes to: the record it leaves, and how the caller hears of it. */
export type Course = {
  readonly leaves: 'paid' | 'failed' | 'failed-then-paid' | 'ready-then-paid' | 'paid-later' | 'nothing';
  readonly answer: 'payment' | 'refusal' | 'drop' | 'envelope-500' | 'page-500' | 'torn' | 'silence';
  /** The payment company's words; null where nothing is declined. */
  readonly failReason: string | null;
};

/** A card number that makes the sandbox behave in one way; `name` and `number` both identify it. */
export type TestCard = {
  readonly number: string;
  readonly name: string;
  /** For people: what the card does. */
  readonly behaviour: string;
  readonly course: Course;
  /** Where the first charge on a key differs from the later ones. */
  readonly firstCourse?: Course;
};

/** A card as it is kept: which test card it behaves like, and its number without the middle digits. */
export type Card = { readonly name: string; readonly masked: string };

/** Finds a test card by its name or its number. */
export function findTestCard(nameOrNumber: string): TestCard | null {
  return BY_NAME.get(nameOrNumber) ?? BY_NUMBER.get(digitsOf(nameOrNumber)) ?? null;
}

/** What a stored card does to this charge. Throws RangeError for a name that is no test card. */
export function courseOf(card: Card, isFirstCharge: boolean): Course {
  const testCard = BY_NAME.get(card.name);
  if (testCard === undefined) throw new RangeError(`'${card.name}' is not a test card`);
  return (isFirstCharge ? testCard.firstCourse : undefined) ?? testCard.course;
}

/**
 * Reads a card number as PortOne does: separators do not matter, 15 or 16 digits. A number that is no test card
 * approves. Null for numbers that the payment company calls invalid; two well-formed ones are, because the test suites
 * of public clients count on it (fact sheet §11.6).
 */
export function readCardNumber(text: string): Card | null {
  const digits = digitsOf(text);
  if (!/^\d{15,16}$/.test(digits) || INVALID.has(digits)) return null;
  return cardOf(BY_NUMBER.get(digits)?.name ?? 'approve', digits);
}

/** The card as it is kept when a test card is stored by hand. */
export function cardFrom(testCard: TestCard): Card {
  return cardOf(testCard.name, testCard.number);
}

/** A decline that leaves a `failed` record. */
export function declined(failReason: string): Course {
  return { leaves: 'failed', answer: 'payment', failReason };
}

function cardOf(name: string, digits: string): Card {
  return { name, masked: `${digits.slice(0, 6)}${'*'.repeat(digits.length - 10)}${digits.slice(-4)}` };
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '');
}

function course(leaves: Course['leaves'], answer: Course['answer'], failReason: string | null = null): Course {
  return { leaves, answer, failReason };
}

const APPROVED = course('paid', 'payment');
const MONTHLY_LIMIT = '[2116]개인 월 한도금액 초과';
const BANK_DOWN = '[2159]해당은행장애';
const FUNDS = declined(MONTHLY_LIMIT);

/** Every test card. The texts are NICE's own where fact sheet §9 has one of that class. */
export const TEST_CARDS: readonly TestCard[] = [
  card(1, 'approve', 'is charged', APPROVED),
  card(2, 'decline_funds', 'declines: over the limit', FUNDS),
  card(3, 'decline_card', 'declines: wrong expiry date', declined('[3021]유효기간 오류')),
  card(4, 'decline_key', 'declines: key gone', declined('[A126]이미 삭제된 빌키이거나 존재하지 않은 빌키입니다')),
  card(5, 'decline_time', 'declines: the bank is down', declined(BANK_DOWN)),
  card(6, 'decline_verify', 'declines: late answer inside the payment company', declined('[A299]API 지연처리 발생')),
  card(
    7,
    'decline_fraud',
    'declines: suspected fraud',
    declined('[FS01]이상금융거래로 탐지되어 고객님의 거래가 거절되었습니다'),
  ),
  card(
    8,
    'decline_config',
    'declines: merchant not registered with the payment company',
    declined('결제에 실패하였습니다. [8901]미등록PG업체/거래정지업체'),
  ),
  card(9, 'decline_other', 'declines with a code that nobody knows', declined('[9999]승인거절')),
  {
    ...card(10, 'funds_then_approve', 'first charge over the limit, later ones charged', APPROVED),
    firstCourse: FUNDS,
  },
  card(
    11,
    'decline_as_error',
    'declines with code -1 and a message instead of a payment',
    course('failed', 'refusal', MONTHLY_LIMIT),
  ),
  card(
    12,
    'flip_to_paid',
    'declines: the bank is down; the record turns paid later',
    course('failed-then-paid', 'payment', BANK_DOWN),
  ),
  card(13, 'pending_then_paid', 'answers ready; the record turns paid later', course('ready-then-paid', 'payment')),
  card(14, 'capture_then_drop', 'is charged, then the connection drops', course('paid', 'drop')),
  card(15, 'capture_then_500', 'is charged, then answers 500', course('paid', 'envelope-500')),
  card(16, 'capture_late', 'the connection drops at once; charged later', course('paid-later', 'drop')),
  card(17, 'drop_before_capture', 'the connection drops; never charged', course('nothing', 'drop')),
  card(18, 'error_500', 'answers 500 with a page; never charged', course('nothing', 'page-500')),
  card(19, 'malformed', 'is charged, then answers with half of the JSON', course('paid', 'torn')),
  card(20, 'hang', 'never answers; never charged', course('nothing', 'silence')),
];

function card(serial: number, name: string, behaviour: string, course: Course): TestCard {
  return { number: `40000000000000${String(serial).padStart(2, '0')}`, name, behaviour, course };
}

const BY_NAME = new Map(TEST_CARDS.map((testCard) => [testCard.name, testCard]));
const BY_NUMBER = new Map(TEST_CARDS.map((testCard) => [testCard.number, testCard]));
const INVALID: ReadonlySet<string> = new Set(['1234123412341234', '4092023012341234']);
